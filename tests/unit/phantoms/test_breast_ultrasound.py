"""Demo breast ultrasound images."""

from pathlib import Path

import numpy as np
import pytest

from medscale.phantoms.breast_ultrasound import CLASSES, draw_breast, plan_breast, write_breast
from medscale.scans.image_folders import find_scans
from medscale.scans.images import read_grey, read_mask
from medscale.scans.scan_sheet import survey_scans


def test_an_image_depends_on_its_class_number_and_seed_alone():
    grey, masks = draw_breast("benign", 1, 128, 0)
    assert grey.dtype == masks[0].dtype == np.uint8
    assert grey.shape == masks[0].shape == (108, 128)
    again, _ = draw_breast("benign", 1, 128, 0)
    np.testing.assert_array_equal(grey, again)
    for other in (("benign", 2, 128, 0), ("malignant", 1, 128, 0), ("benign", 1, 128, 1)):
        assert (grey != draw_breast(*other)[0]).any()


@pytest.mark.parametrize("label", ["benign", "malignant"])
def test_lesions_are_dark_within_their_masks_and_no_lesion_is_cut_off(label):
    ratios = []
    for number in range(1, 13):
        grey, masks = draw_breast(label, number, 128, 0)
        marked = np.max(masks, axis=0) > 0
        assert 0.005 < marked.mean() < 0.2
        assert set(np.unique(masks)) == {0, 255}
        assert not marked[[0, -1]].any()
        assert not marked[:, [0, -1]].any()
        rows = np.flatnonzero(marked.any(1))
        beside = (
            ~marked
            & (np.arange(len(marked)) >= rows[0])[:, None]
            & (np.arange(len(marked)) <= rows[-1])[:, None]
        )
        ratios.append(grey[marked].mean() / grey[beside].mean())
    assert np.mean(ratios) < 0.75
    assert max(ratios) < 1


def test_classes_overlap_and_normal_images_may_have_dark_lobules():
    plans = {label: [plan_breast(label, number, 0) for number in range(40)] for label in CLASSES}
    rough = {label: [plan.roughness for plan in plans[label]] for label in ("benign", "malignant")}
    assert np.mean(rough["benign"]) < min(0.4, np.mean(rough["malignant"]))
    assert max(rough["benign"]) > min(rough["malignant"])
    assert 8 < sum(len(plan.lobules) for plan in plans["normal"]) < 30


def test_normal_images_have_no_lesion_and_some_benign_ones_have_two():
    assert draw_breast("normal", 1, 96, 0)[1] == []
    counts = [len(plan_breast("benign", number, 0).lesions) for number in range(40)]
    assert set(counts) == {1, 2}
    assert counts.count(2) < 15


def test_malignant_lesions_cast_a_shadow_and_benign_ones_none():
    behind = {}
    for label in ("benign", "malignant"):
        ratios = []
        for number in range(1, 13):
            grey, masks = draw_breast(label, number, 128, 0)
            marked = masks[0] > 0
            middle, bottom = int(np.flatnonzero(marked.any(0)).mean()), np.flatnonzero(marked.any(1))[-1]
            band = grey[bottom + 4 : bottom + 16].astype(float)
            ratios.append(band[:, middle - 3 : middle + 4].mean() / band.mean())
        behind[label] = np.mean(ratios)
    assert behind["malignant"] < 0.9 < 1.05 < behind["benign"]


def test_a_folder_has_the_names_of_the_real_one_and_no_duplicates(tmp_path):
    for label in CLASSES:
        for number in range(1, 7):
            write_breast(tmp_path / label / f"{label} ({number}).png", 0, 96)
    found = find_scans(tmp_path)
    assert found["class"].value_counts().to_dict() == dict.fromkeys(CLASSES, 6)
    assert (tmp_path / "benign/benign (1)_mask.png").is_file()
    _, pairs = survey_scans(tmp_path)
    assert pairs.empty


def test_each_lesion_has_a_mask_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr("medscale.phantoms.breast_ultrasound.SECOND_LESION", 1.0)
    for label in CLASSES:
        write_breast(tmp_path / label / f"{label} (1).png", 0, 96)
    found = find_scans(tmp_path).set_index("image")
    names = ["benign (1)_mask.png", "benign (1)_mask_1.png"]
    assert [Path(mask).name for mask in found.at["benign_1", "masks"]] == names
    shape = read_grey(found.at["benign_1", "path"]).shape
    alone = [read_mask([mask], shape) for mask in found.at["benign_1", "masks"]]
    assert alone[0].any()
    assert alone[1].any()
    assert not (alone[0] & alone[1]).any()
