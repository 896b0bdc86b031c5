import json
import shutil

import numpy as np
import pytest

from medscale.__main__ import main
from medscale.errors import InputError
from medscale.kits19.case_sheet import make_case_sheet, read_spacings, split_of_thesis
from medscale.kits19.sheets import read_case_sheet
from tests.kits19_files import AFFINE, make_hu, make_labels, write_case, write_volume

SPACING = {"x_spacing": 0.8, "y_spacing": 0.9, "z_spacing": 3.0}
NUMBERS = (0, 5, 119, 120, 139, 140, 199, 200, 209, 210)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Ten cases; the last without labels, as KiTS19's own test cases are."""
    folder = tmp_path_factory.mktemp("kits19")
    for number in NUMBERS:
        write_case(folder / f"case_{number:05d}")
    (folder / "case_00210/segmentation.nii.gz").unlink()
    records = [{"case_id": f"case_{number:05d}", "voxel_spacing": SPACING} for number in NUMBERS]
    (folder / "kits.json").write_text(json.dumps(records))
    return folder


@pytest.fixture
def folder(drawn, tmp_path):
    return shutil.copytree(drawn, tmp_path / "kits19")


def test_the_split_of_the_thesis(folder, tmp_path, root, caplog):
    output = tmp_path / "out/cases.csv"
    assert main(["kits19_sheet", str(folder), "--output", str(output), "--thesis-split"]) == 0
    sheet = read_case_sheet(output, root / "schemas/kits19_cases.schema.json")
    assert sheet.groupby("split")["case"].agg(lambda names: [int(name[5:]) for name in names]).to_dict() == {
        "train": [0, 5, 119, 140, 199],
        "validation": [120, 139],
        "test": [200, 209],
    }
    assert "left out: case_00210 is not among the 210 cases" in caplog.text
    assert sheet.at["case_00005", "imaging"] == str(folder / "case_00005/imaging.nii.gz")


def test_the_thesis_has_180_20_and_10_cases():
    splits = [split_of_thesis(f"case_{number:05d}") for number in range(300)]
    assert [splits.count(name) for name in ("train", "validation", "test", None)] == [180, 20, 10, 90]
    assert split_of_thesis("patient_1") is None


def test_drawn_splits(folder):
    sheet = make_case_sheet(folder, seed=1).set_index("case")
    assert sheet["split"].value_counts().to_dict() == {"train": 6, "test": 3, "validation": 1}
    assert sheet.at["case_00210", "split"] == "test"
    again = make_case_sheet(folder, seed=1).set_index("case")
    assert sheet.equals(again)
    assert any(not sheet.equals(make_case_sheet(folder, seed=seed).set_index("case")) for seed in (2, 3, 4))
    fixed = make_case_sheet(folder, splits={"case_00000": "test"}, test_share=0.0).set_index("case")
    assert fixed.at["case_00000", "split"] == "test"


def test_without_a_share_there_is_no_validation_case(folder, caplog):
    sheet = make_case_sheet(folder, validation_share=0.0)
    assert set(sheet["split"]) == {"train", "test"}
    assert "no validation case" in caplog.text
    splits = {f"case_{number:05d}": "train" for number in NUMBERS[1:-1]} | {"case_00000": "test"}
    assert set(make_case_sheet(folder, splits=splits)["split"]) == {"train", "test"}
    with pytest.raises(InputError, match="none left for test"):
        make_case_sheet(folder, splits=dict.fromkeys(splits, "train"))


def test_a_case_without_ct_is_left_out_with_its_reason(folder, caplog):
    (folder / "case_00005/imaging.nii.gz").unlink()
    assert "case_00005" not in set(make_case_sheet(folder, thesis_split=True)["case"])
    assert "left out: case_00005: found no imaging.nii.gz" in caplog.text
    assert "starter_code.get_imaging" in caplog.text


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda case: write_volume(case / "imaging.nii.gz", make_hu()[:5]), "segmentation.nii.gz: found 7 ×"),
        (lambda case: write_volume(case / "segmentation.nii.gz", make_labels(), -AFFINE), "mm away"),
        (lambda case: (case / "imaging.nii.gz").write_bytes(b"no volume"), "no readable NIfTI header"),
        (lambda case: write_volume(case / "imaging.nii.gz", np.zeros((2, 3, 4, 5), "i2")), "4 axes"),
        (
            lambda case: write_case(case, affine=AFFINE * [[1, 1, 2, 1]]),
            "found a spacing of 3 × 0.9 × 1.6 mm",
        ),
    ],
)
def test_cases_whose_headers_show_that_they_cannot_be_used_are_left_out(folder, caplog, spoil, reason):
    spoil(folder / "case_00005")
    assert "case_00005" not in set(make_case_sheet(folder)["case"])
    assert reason in caplog.text


def test_spacing_is_slice_row_column(folder):
    assert read_spacings(folder / "kits.json")["case_00000"] == (3.0, 0.9, 0.8)


def test_without_clinical_data_spacing_is_not_checked(folder, caplog):
    (folder / "kits.json").unlink()
    assert len(make_case_sheet(folder)) == len(NUMBERS)
    assert "spacing is not checked" in caplog.text


@pytest.mark.parametrize("content", ["{", '{"a": 1}', '[{"voxel_spacing": {}}]', '["case_00000"]', "3"])
def test_clinical_data_of_another_kind_are_refused(tmp_path, content):
    (tmp_path / "kits.json").write_text(content)
    with pytest.raises(InputError, match=r"kits\.json: found no clinical data"):
        read_spacings(tmp_path / "kits.json")


def test_a_training_case_needs_labels(folder):
    (folder / "case_00005/segmentation.nii.gz").unlink()
    with pytest.raises(InputError, match=r"case_00005: found no segmentation\.nii\.gz, but a place in train"):
        make_case_sheet(folder, thesis_split=True)
    sheet = make_case_sheet(folder, thesis_split=True, splits={"case_00005": "test"}).set_index("case")
    assert sheet.at["case_00005", "split"] == "test"


def test_real_segmentations_without_ct_make_no_sheet(real_data, tmp_path, caplog):
    assert main(["kits19_sheet", str(real_data / "kits19"), "--output", str(tmp_path / "a.csv")]) == 1
    assert caplog.text.count("found no imaging.nii.gz") == 10
    assert "found no usable case" in caplog.text
    assert not (tmp_path / "a.csv").exists()
