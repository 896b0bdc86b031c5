from pathlib import Path

import pytest

from medscale.__main__ import main
from medscale.sparse_ct.ct_sheet import make_ct_sheet
from medscale.sparse_ct.sheets import read_ct_sheet
from tests.ct_files import head, write_series, write_slice, write_volume


@pytest.fixture
def scans(tmp_path):
    """Four patients: a series, two slices, and two volumes."""
    folder = tmp_path / "scans"
    write_series(folder / "one/ct", count=2, PatientID="one")
    for number, seed in enumerate((10, 11)):
        series = {"PatientID": "two", "SeriesInstanceUID": f"1.2.1.{number}"}
        (folder / "two").mkdir(exist_ok=True)
        write_slice(folder / f"two/{number}.dcm", head(seed=seed), **series)
    for name, seed in (("three", 20), ("four", 21)):
        write_volume(folder / f"{name}.nii.gz", head(seed=seed).T[:, :, None])
    return folder


def test_a_sheet_is_accepted_and_names_every_image(scans, tmp_path, root):
    output = tmp_path / "out/ct_images.csv"
    assert main(["ct_sheet", str(scans), "--output", str(output), "--split", "two=test"]) == 0
    sheet = read_ct_sheet(output, root / "schemas/ct_images.schema.json")
    assert dict(sheet["patient"]) == {"ct": "one", "0": "two", "1": "two", "three": "three", "four": "four"}
    assert sheet.at["ct", "path"] == str(scans / "one/ct")
    assert set(sheet.loc[["0", "1"], "split"]) == {"test"}
    assert set(sheet["split"]) == {"train", "validation", "test"}
    assert all(Path(path).is_absolute() for path in sheet["path"])


def test_the_same_seed_gives_the_same_bytes(scans, tmp_path):
    for name in ("a", "b"):
        arguments = ["ct_sheet", str(scans), "--output", str(tmp_path / name), "--seed", "3"]
        assert main(arguments) == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_unusable_images_are_left_out_with_their_reason(scans, caplog):
    write_slice(scans / "two/scout.dcm", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    write_slice(scans / "two/raw.dcm", RescaleSlope=None)
    (scans / "two/cut.dcm").write_bytes((scans / "two/0.dcm").read_bytes()[:-100])
    sheet = make_ct_sheet([scans])
    assert not {"scout", "raw", "cut"} & set(sheet["image"])
    assert len(sheet) == 5
    for reason in ("a localizer", "no RescaleSlope", "pixels that cannot be decoded"):
        assert reason in caplog.text


def test_a_series_with_a_missing_slice_is_left_out_as_a_whole(scans, caplog):
    write_series(scans / "five", count=5, PatientID="five")
    (scans / "five/003.dcm").unlink()
    assert "five" not in set(make_ct_sheet([scans])["patient"])
    assert "a gap of 5 mm" in caplog.text


def test_pixels_that_two_patients_share_are_left_out(scans, caplog):
    (scans / "copy").mkdir()
    write_slice(scans / "copy/copy.dcm", head(seed=21), PatientID="somebody")
    sheet = make_ct_sheet([scans])
    assert "four" not in set(sheet["patient"])
    assert "a slice of patient four that is also in" in caplog.text
    assert set(sheet[sheet["patient"] == "somebody"]["image"]) == {"copy"}


def test_pixels_that_one_patient_has_twice_are_kept(scans, caplog):
    caplog.set_level("INFO")
    write_slice(scans / "two/again.dcm", head(seed=10), PatientID="two")
    assert "again" in set(make_ct_sheet([scans])["image"])
    assert "has a slice in common with" in caplog.text


def test_images_of_one_file_name_are_told_apart_by_patient(tmp_path):
    for number, patient in enumerate(("x", "y", "z", "z")):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        write_slice(folder / "000001.dcm", head(seed=number), PatientID=patient)
    assert list(make_ct_sheet([tmp_path])["image"]) == ["x_000001", "y_000001", "z_000001", "z_000001_2"]


def test_all_real_images_make_a_sheet(real_data, tmp_path, root):
    output = tmp_path / "ct_images.csv"
    places = [str(real_data / name) for name in ("ct_dicom", "ct_nifti")]
    assert main(["ct_sheet", *places, "--output", str(output)]) == 0
    sheet = read_ct_sheet(output, root / "schemas/ct_images.schema.json")
    assert len(sheet) == 42
    assert sheet["path"].str.contains("tcga_lung_100").sum() == 27
    assert sheet["patient"].nunique() == 20
    assert sheet.at["totalseg_series", "path"].endswith("totalseg_series")
    # The same pixels under two names are of one patient.
    twins = ["ID_0084_AGE_0067_CONTRAST_0_CT", "ID_0085_AGE_0067_CONTRAST_0_CT"]
    assert sheet.loc[twins, ["patient", "split"]].drop_duplicates().shape[0] == 1
    assert sheet.at["lungmask_0", "patient"] == sheet.at["lungmask_1", "patient"]
