"""Demo brain MR images."""

import cv2
import numpy as np
import pytest

from medscale.phantoms.brain_mri import WEIGHTINGS, draw_brain, plan_brain, write_brain
from medscale.scans.image_folders import find_scans
from medscale.scans.scan_sheet import survey_scans


def test_a_brain_depends_on_its_name_and_the_seed_alone():
    one = draw_brain("Y1", 96, 0, tumour=True)
    assert one.dtype == np.uint8
    assert one.shape == (96, 96)
    np.testing.assert_array_equal(one, draw_brain("Y1", 96, 0, tumour=True))
    assert (one != draw_brain("Y2", 96, 0, tumour=True)).any()
    assert (one != draw_brain("Y1", 96, 1, tumour=True)).any()


def test_it_looks_alike_at_any_size():
    small, large = (draw_brain("Y1", size, 0, tumour=True) for size in (96, 192))
    halved = cv2.resize(large, (96, 96), interpolation=cv2.INTER_AREA)
    assert np.corrcoef(small.ravel(), halved.ravel())[0, 1] > 0.97


def test_the_head_lies_on_black():
    brain = draw_brain("N1", 128, 0, tumour=False)
    assert brain[:4].max() < 40
    assert brain[44:84, 44:84].mean() > 50


@pytest.mark.parametrize("number", range(6))
def test_a_tumour_lies_in_the_brain_and_shows(number):
    plan = plan_brain(f"Y{number}", 0, tumour=True)
    assert np.hypot(plan.tumour.x, plan.tumour.y) < 0.8
    assert plan.weighting in WEIGHTINGS
    assert plan_brain(f"Y{number}", 0, tumour=False).tumour is None
    with_tumour, without = (draw_brain(f"Y{number}", 96, 0, tumour=tumour) for tumour in (True, False))
    changed = np.abs(with_tumour.astype(int) - without) > 30
    assert 0.003 < changed.mean() < 0.4


def test_a_folder_has_the_names_of_the_real_one_and_the_copies_are_found(tmp_path):
    for label, name in (("yes", "Y{}"), ("no", "{} no")):
        for stem in (*map(name.format, range(1, 7)), f"{name.format(2)} copy"):
            write_brain(tmp_path / label / f"{stem}.jpg", 0, 96)
    found = find_scans(tmp_path)
    assert found["class"].value_counts().to_dict() == {"yes": 7, "no": 7}
    assert {path.name for path in tmp_path.glob("*/*1*")} == {"Y1.jpg", "1 no.jpg"}
    _, pairs = survey_scans(tmp_path)
    assert pairs[["image", "other", "exact"]].to_numpy().tolist() == [
        ["2_no", "2_no_copy", True],
        ["Y2", "Y2_copy", True],
    ]
