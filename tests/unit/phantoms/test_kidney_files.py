"""Demo cases on the disk are what KiTS19's are, and pass through the same checks."""

from dataclasses import replace

import nibabel
import numpy as np
import pandas as pd
import pytest
from nibabel.orientations import aff2axcodes

from medscale.files.tables import write_json
from medscale.kits19.case_sheet import make_case_sheet, split_of_thesis
from medscale.kits19.cases import read_case
from medscale.phantoms import ct_canvas
from medscale.phantoms.ct_canvas import FIELD_MM
from medscale.phantoms.kidney_files import describe_cases, write_case
from medscale.phantoms.kidneys import draw_case, plan_case

CASES = {"case_00002": "IPL", "case_00120": "IPL", "case_00160": "IPL", "case_00201": "LPS"}
SIZE_PX, SEED = 32, 20


@pytest.fixture(scope="module")
def plans():
    plans = {case: plan_case(case, SIZE_PX, SEED) for case in CASES}
    return {case: replace(plan, heights_mm=plan.heights_mm[3:7]) for case, plan in plans.items()}


@pytest.fixture(scope="module")
def folder(plans, tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    before, ct_canvas.FINE_PX = ct_canvas.FINE_PX, 128
    for case, plan in plans.items():
        write_case(plan, SIZE_PX, folder / case / "imaging.nii.gz", folder / case / "segmentation.nii.gz")
    yield folder
    ct_canvas.FINE_PX = before


@pytest.mark.parametrize("case", CASES)
def test_files_show_what_was_drawn(folder, plans, case):
    hu, labels = draw_case(plans[case], SIZE_PX)
    read = read_case(folder / case / "imaging.nii.gz", folder / case / "segmentation.nii.gz")
    np.testing.assert_array_equal(read.hu, hu)
    np.testing.assert_array_equal(read.labels, labels)
    image = nibabel.load(folder / case / "imaging.nii.gz")
    assert "".join(aff2axcodes(image.affine)) == CASES[case]
    assert read.grid.spacing_mm == pytest.approx((plans[case].slice_mm, *[FIELD_MM / SIZE_PX] * 2))


@pytest.mark.parametrize("case", CASES)
def test_voxels_lie_where_the_patient_is(folder, plans, case):
    """The first slice is the highest, whichever way the file runs, and the middle pixel the middle."""
    grid = read_case(folder / case / "imaging.nii.gz").grid
    slices, rows, columns = grid.case_shape
    numbers = np.moveaxis(np.indices(grid.shape), 0, -1)
    places = np.stack([grid.to_case(numbers[..., axis]) for axis in range(3)], axis=-1)
    first = grid.affine @ (*places[0, 0, 0], 1)
    last = grid.affine @ (*places[-1, -1, -1], 1)
    assert (first[2], last[2]) == pytest.approx(tuple(plans[case].heights_mm[[0, -1]]), abs=1e-3)
    pixel = FIELD_MM / SIZE_PX
    assert first[:2] == pytest.approx((pixel * (columns - 1) / 2, pixel * (rows - 1) / 2), abs=1e-3)
    np.testing.assert_allclose(last[:2], -first[:2], atol=1e-3)
    assert slices == 4


def test_a_demo_folder_makes_a_case_sheet_of_the_thesis_split(folder, plans, tmp_path, caplog):
    records = describe_cases(list(CASES), SIZE_PX, SEED)
    write_json(records, folder / "kits.json")
    sheet = make_case_sheet(folder, thesis_split=True).set_index("case")
    assert sheet["split"].to_dict() == {
        "case_00002": "train",
        "case_00120": "validation",
        "case_00160": "train",
        "case_00201": "test",
    }
    assert "left out" not in caplog.text
    for record in records:
        radius = max(tumour.radius for tumour in plans[record["case_id"]].tumours)
        assert record["radiographic_size"] == pytest.approx(radius / 5, abs=0.05)


@pytest.mark.parametrize("name", ["sheets/demo_kits19.csv", "tests/tiny_kits19.csv"])
def test_the_demo_sheets_are_of_the_thesis_split(root, name):
    sheet = pd.read_csv(root / name)
    assert sheet["split"].tolist() == [split_of_thesis(case) for case in sheet["case"]]


def test_the_bytes_repeat(plans, tmp_path, monkeypatch):
    monkeypatch.setattr(ct_canvas, "FINE_PX", 128)
    for name in ("a", "b"):
        write_case(
            plans["case_00002"], SIZE_PX, tmp_path / f"{name}.nii.gz", tmp_path / f"{name}_labels.nii.gz"
        )
    for end in ("", "_labels"):
        one, other = (tmp_path / f"{name}{end}.nii.gz" for name in ("a", "b"))
        assert one.read_bytes() == other.read_bytes()
