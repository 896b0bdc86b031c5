import json

import pandas as pd
import pytest

from medscale.sparse_ct.evaluation import flatten_metrics
from medscale.sparse_ct.quality_table import GAIN, METRICS

QUALITY = pd.DataFrame(
    [
        {"size_px": 128, "views": 60, "method": method, "slices": 8, "patients": 2, "psnr_db": psnr}
        for method, psnr in (("fbp_ramp", 30.0), ("fbp_hann", 31.0), ("tv", 35.0), ("denoiser", 36.5))
    ]
).assign(ssim=0.9, rmse_hu=20.0, psnr_gain_db=1.0)
for measure in (*METRICS, GAIN):
    QUALITY[f"{measure}_low"], QUALITY[f"{measure}_high"] = QUALITY[measure] - 0.1, float("nan")
GROWTH = pd.DataFrame(
    {
        "sizing": "crop",
        "output": "none",
        "schedule": ["fixed/1", "t31/1-2", "t31/1-2"],
        "control": ["batch", "batch", "learning rate"],
        "gain_db": [0.0, 0.3, 0.2],
    }
)


def test_metrics_are_flat_numbers_with_the_ends_that_there_are():
    metrics = flatten_metrics(QUALITY, GROWTH)
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    assert metrics["test_60views_128px_denoiser_psnr_db"] == 36.5
    assert metrics["test_60views_128px_tv_psnr_db_low"] == pytest.approx(34.9)
    assert "test_60views_128px_tv_psnr_db_high" not in metrics
    assert metrics["test_60views_128px_patients"] == 2


def test_the_network_is_compared_with_the_best_window():
    metrics = flatten_metrics(QUALITY, GROWTH)
    assert metrics["test_60views_128px_denoiser_gain_over_best_fbp_db"] == pytest.approx(5.5)


def test_growth_and_its_control_have_names_of_their_own():
    metrics = flatten_metrics(QUALITY, GROWTH)
    gains = {name: value for name, value in metrics.items() if name.startswith("validation_gain")}
    assert gains == {
        "validation_gain_over_batch_1_crop_none_t31_1-2_db": 0.3,
        "validation_gain_over_batch_1_crop_none_t31_1-2_decayed_db": 0.2,
    }
