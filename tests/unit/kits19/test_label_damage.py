import numpy as np
import pytest

from medscale.kits19.label_damage import measure_label_damage, summarise_damage
from medscale.kits19.resizing import LABEL_INTERPOLATIONS
from tests.kits19_files import write_volume


def measure(tmp_path, labels, sizes=(8,)):
    path = write_volume(tmp_path / "segmentation.nii.gz", labels)
    return measure_label_damage({"a": path}, sizes)


def of(damage, interpolation):
    return damage.set_index("interpolation").loc[interpolation]


def test_labels_that_fit_the_small_grid_are_not_damaged(tmp_path):
    small = np.zeros((3, 8, 8), np.uint8)
    small[1, 1:4, 1:4], small[1, 5:7, 2:6] = 1, 2
    damage = measure(tmp_path, small.repeat(4, axis=1).repeat(4, axis=2), (8, 32))
    assert list(damage["interpolation"]) == list(LABEL_INTERPOLATIONS) * 2
    assert (damage[["kidney_dice", "tumour_dice"]] == 1).all(axis=None)
    assert (damage[["kidney_volume_error_percent", "tumour_volume_error_percent"]] == 0).all(axis=None)
    assert (damage["tumour_slices"] == 1).all()
    assert (damage["tumour_slices_lost"] == 0).all()


def test_damage_by_hand(tmp_path):
    """A tumour of 4 × 6 pixels: two whole small pixels' width by one and a half; area lets the half grow."""
    labels = np.zeros((1, 32, 32), np.uint8)
    labels[0, 8:12, 8:14] = 2
    row = of(measure(tmp_path, labels), "area")
    assert row["tumour_dice"] == pytest.approx(2 * 24 / (24 + 32))
    assert row["tumour_volume_error_percent"] == pytest.approx(100 / 3)
    assert np.isnan(row["kidney_dice"])
    assert np.isnan(row["kidney_volume_error_percent"])


def test_small_tumours_vanish(tmp_path):
    labels = np.zeros((4, 32, 32), np.uint8)
    labels[:, 4:28, 4:28] = 1
    labels[1, 9:11, 9:11], labels[2, 12:20, 12:20] = 2, 2
    damage = measure(tmp_path, labels)
    assert (damage["tumour_slices"] == 2).all()
    assert of(damage, "area")["tumour_slices_lost"] == 1
    assert of(damage, "area")["tumour_volume_error_percent"] == pytest.approx(100 * (64 - 68) / 68)


def test_pixels_that_match_no_class_are_those_of_the_thesis_alone(tmp_path):
    labels = np.ones((1, 32, 32), np.uint8)
    labels[:, :, 18:] = 2
    damage = measure(tmp_path, labels)
    assert of(damage, "thesis")["unmatched_percent"] == pytest.approx(100 / 8)
    assert damage["unmatched_percent"].isna().sum() == len(LABEL_INTERPOLATIONS) - 1


def test_a_summary_over_cases(tmp_path):
    paths = {}
    for name, columns in (("a", 14), ("b", 10)):
        labels = np.zeros((1, 32, 32), np.uint8)
        labels[0, 8:12, 8:columns] = 2
        paths[name] = write_volume(tmp_path / f"{name}.nii.gz", labels)
    damage = measure_label_damage(paths, [8])
    summary = of(summarise_damage(damage), "area")
    assert summary["cases"] == 2
    first, second = (row["tumour_dice"] for _, row in damage[damage["interpolation"] == "area"].iterrows())
    assert summary["tumour_dice"] == pytest.approx((first + second) / 2)
    assert summary["lowest_tumour_dice"] == min(first, second)
    # +33 % and +100 %: both tumours fill a small pixel that they cover by half.
    assert summary["tumour_volume_error_percent"] == pytest.approx((100 / 3 + 100) / 2)
    assert len(summarise_damage(damage)) == len(LABEL_INTERPOLATIONS)
