"""Demo subjects with T1 and FLAIR volumes, age and sex."""

import nibabel
import numpy as np
import pytest
from scipy import ndimage

from medscale.errors import InputError
from medscale.files.tables import write_table
from medscale.files.volumes import read_nifti
from medscale.phantoms.brain_subjects import LABELS, demo_subjects, plan_subject
from medscale.phantoms.brain_volumes import draw_subject, write_subject
from medscale.scans.subjects import read_subject_sheet

COARSE_MM = 6.0


@pytest.fixture(scope="module")
def plans():
    return {label: [plan_subject(f"sub_{n}", label, 0) for n in range(400)] for label in LABELS}


def _at(volume, points_mm):
    """Values of a volume, between voxels, at places in space."""
    back = np.linalg.inv(volume.affine)
    voxels = back[:3, :3] @ np.transpose(points_mm) + back[:3, 3:]
    return ndimage.map_coordinates(volume.values, voxels, order=1)


def test_a_subject_depends_on_name_class_and_seed_alone():
    plan = plan_subject("sub_1", "patient", 0)
    one, two = (draw_subject(plan, COARSE_MM) for _ in range(2))
    for name in ("t1", "flair"):
        np.testing.assert_array_equal(one[name].values, two[name].values)
        np.testing.assert_array_equal(one[name].affine, two[name].affine)
    others = [("sub_2", "patient", 0), ("sub_1", "control", 0), ("sub_1", "patient", 1)]
    assert all(plan_subject(*other).ventricle != plan.ventricle for other in others)


def test_both_volumes_have_grids_of_their_own():
    volumes = draw_subject(plan_subject("sub_1", "patient", 0), COARSE_MM)
    t1, flair = volumes["t1"], volumes["flair"]
    assert t1.values.shape == (32, 38, 32)
    assert t1.values.dtype == flair.values.dtype == np.float32
    assert nibabel.aff2axcodes(t1.affine) == ("R", "A", "S")
    assert nibabel.aff2axcodes(flair.affine) == ("L", "P", "S")
    spacing = np.linalg.norm(flair.affine[:3, :3], axis=0)
    np.testing.assert_allclose(spacing, (7.5, 7.5, 12))
    assert np.abs(flair.affine[1, 2]) > 1, "slices are tilted"


def test_both_show_the_same_head_at_the_same_place():
    plan = plan_subject("sub_3", "patient", 0)
    volumes = draw_subject(plan, 3.0)
    ventricle_side_outside = plan.middle_mm + np.array([(12, 0, 8), (-40, 0, 8), (-88, 0, 30)])
    for volume in volumes.values():
        fluid, white, air = _at(volume, ventricle_side_outside)
        assert air < 60
        assert fluid < 0.7 * white


def test_lesions_are_bright_in_flair():
    plan = next(p for n in range(30) if len((p := plan_subject(f"s{n}", "patient", 0)).lesions) > 9)
    without = type(plan)(**{**vars(plan), "lesions": plan.lesions[:0]})
    with_lesions, healthy = (draw_subject(p, 3.0) for p in (plan, without))
    gained = {name: with_lesions[name].values - healthy[name].values for name in with_lesions}
    assert gained["flair"].max() > 150
    assert gained["flair"].min() > -60
    assert gained["t1"].min() < -40
    assert np.mean(np.abs(gained["flair"]) > 50) < 0.05


def test_every_part_tells_the_classes_apart_and_none_of_them_surely(plans):
    controls, patients = plans["control"], plans["patient"]

    def auc(measure):
        low, high = (np.array([measure(plan) for plan in group]) for group in (controls, patients))
        return np.mean(high[:, None] > low) + 0.5 * np.mean(high[:, None] == low)

    for measure in (lambda p: p.age, lambda p: p.sex == "F", lambda p: p.ventricle, lambda p: len(p.lesions)):
        assert 0.65 < auc(measure) < 0.92


def test_demo_sheets_read_back(tmp_path, root):
    counts = {"train": {"control": 6, "patient": 4}, "test": {"control": 2, "patient": 3}}
    sheet = demo_subjects(counts, "results/demo", 0, missing_share=0.3)
    write_table(sheet, tmp_path / "a.csv")
    read = read_subject_sheet(tmp_path / "a.csv", root / "schemas/subjects.schema.json", ["t1"], ["age"])
    assert read.groupby(["split", "class"]).size().to_dict() == {
        ("train", "control"): 6,
        ("train", "patient"): 4,
        ("test", "control"): 2,
        ("test", "patient"): 3,
    }
    assert read.at["sub_002", "flair"] == "results/demo/sub_002/flair.nii.gz"
    assert 0 < (read["age"] == "").sum() < 15
    told = read[read["age"] != ""].iloc[0]
    assert float(told["age"]) == plan_subject(told["subject"], told["class"], 0).age
    assert read["class"].tolist() != sorted(read["class"]), "numbers say nothing about classes"
    assert sheet.equals(demo_subjects(counts, "results/demo", 0, missing_share=0.3))


def test_files_are_whole_numbers_with_scale_factors_and_the_same_each_time(tmp_path):
    contents = []
    for turn in ("one", "two"):
        paths = [tmp_path / turn / f"{name}.nii.gz" for name in ("t1", "flair")]
        write_subject("sub_1", "control", *paths, 0, COARSE_MM)
        contents.append([path.read_bytes() for path in paths])
    assert contents[0] == contents[1]
    image = nibabel.load(paths[0])
    assert image.get_data_dtype() == np.int16
    assert image.dataobj.slope not in (0, 1)
    drawn = draw_subject(plan_subject("sub_1", "control", 0), COARSE_MM)["t1"]
    np.testing.assert_allclose(read_nifti(paths[0]).values, drawn.values, atol=image.dataobj.slope)
    np.testing.assert_allclose(image.affine, drawn.affine, atol=1e-4)


def test_another_class_is_refused():
    with pytest.raises(InputError, match="sub_1: found the class ill; expected one of control, patient"):
        plan_subject("sub_1", "ill", 0)
