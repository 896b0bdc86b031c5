import numpy as np
import pandas as pd
import pytest

from medscale.kits19.tumour_volumes import BAND_COLUMNS, collect_tumours, correlate, tabulate_bands


def scores(volumes, dices):
    cases = [f"case_{number:05d}" for number in range(len(volumes))]
    table = {"case": cases, "volume_ml_tumour": volumes, "dice_tumour": dices, "surface_dice_tumour": dices}
    return pd.DataFrame(table)


@pytest.fixture
def tumours():
    volumes = [2.0, 5.0, 0.0, 20.0, 100.0]
    tables = [
        scores(volumes, [0.0, 0.2, 1.0, 0.6, 0.9]),
        scores(volumes, [0.2, 0.2, 0.0, 0.8, 0.9]),
        scores(volumes, [0.0] * 5),
    ]
    return collect_tumours(["unet3d", "unet3d", "unet2d"], tables)


def test_each_tumour_has_one_row_a_network_with_its_seeds_averaged(tumours):
    assert len(tumours) == 8
    own = tumours[tumours["network"] == "unet3d"].set_index("case")
    assert own["dice_tumour"].tolist() == pytest.approx([0.1, 0.2, 0.7, 0.9])
    assert own["found"].tolist() == [0.5, 1, 1, 1]
    assert "case_00002" not in own.index


def test_bands_average_tumours_of_like_volume(tumours):
    table = tabulate_bands(tumours, [5.0, 50.0, 500.0])
    assert list(table.columns) == BAND_COLUMNS
    own = table[table["network"] == "unet3d"]
    assert own["cases"].tolist() == [1, 2, 1, 0]
    assert own["dice_tumour"].tolist()[:3] == pytest.approx([0.1, 0.45, 0.9])
    assert np.isnan(own["dice_tumour"].iloc[3])
    assert own["from_ml"].tolist() == [0, 5, 50, 500]
    assert np.isnan(own["to_ml"].iloc[3])


def test_the_correlation_is_of_ranks(tumours):
    rho = correlate(tumours)
    assert rho["unet3d"] == pytest.approx(1)
    assert np.isnan(rho["unet2d"])
    mixed = collect_tumours(["a"], [scores([1.0, 2.0, 3.0, 4.0], [0.1, 0.3, 0.2, 0.4])])
    assert correlate(mixed)["a"] == pytest.approx(1 - 6 * 2 / (4 * 15))
    assert np.isnan(correlate(mixed[:2])["a"])
