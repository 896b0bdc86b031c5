import json

import numpy as np
import pytest
import torch

from medscale.scans.architecture_costs import (
    COLUMNS,
    measure_classifiers,
    measure_inference,
    measure_training_step,
)
from tests.unit.scans.scan_tables import training

CPU = torch.device("cpu")


def card(name="lenet5", batch_size=2, **settings):
    return {
        "network": {"name": name, "outputs": 3, "channels_in": 1, **settings},
        "inputs": {"classes": ["normal", "benign", "malignant"], "size_px": 32},
        "training": {
            "batch_size": batch_size,
            "epochs": 5,
            "optimisation": {"optimiser": "adamw", "weight_bound": 5.0},
        },
    }


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


# Auxiliary heads, and a norm over a single pixel, which one image alone cannot train.
@pytest.mark.parametrize(
    "described", [card("googlenet", 1, width=4), card("resnet18", 3, width=4), card("lenet5", size_px=32)]
)
def test_a_step_of_any_network_is_measured(described):
    cost = measure_training_step(described, CPU)
    assert cost.batch_size == described["training"]["batch_size"]
    assert cost.seconds_per_image > 0
    assert cost.peak_bytes >= 0


def test_inference_is_measured_on_an_image():
    assert 0 < measure_inference(card(size_px=32), CPU, images=4) < 1


def test_one_row_for_each_network_or_method(tmp_path):
    for seed, seconds in ((0, 10.0), (1, 20.0)):
        sidecar = tmp_path / f"lenet5_{seed}.safetensors.provenance.json"
        sidecar.write_text(json.dumps({"run": {"seconds": seconds}}))
    (tmp_path / "svm.csv.provenance.json").write_text(json.dumps({"run": {"seconds": 3}}))
    files = {
        "lenet5": [tmp_path / f"lenet5_{seed}.safetensors" for seed in range(2)],
        "svm": [tmp_path / "svm.csv"],
        "random_forest": [tmp_path / "nowhere.csv"],
    }
    trainings = [training(name) for name in files]
    table = measure_classifiers(trainings, {"lenet5": card(size_px=32)}, files, CPU)
    assert list(table.columns) == COLUMNS
    assert table["network"].tolist() == list(files)
    assert table["training_seconds"].tolist()[:2] == [15, 3]
    assert np.isnan(table["training_seconds"][2])
    assert table["epochs"].tolist()[0] == 5
    of_networks = ["epochs", "step_seconds_per_image", "inference_seconds_per_image"]
    assert table.loc[1:, of_networks].isna().all(axis=None)
