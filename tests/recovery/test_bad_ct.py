"""What is wrong with CT is explained by file, value, expectation and mending, before any sheet is written."""

import pydicom
import pytest
from pydicom.uid import RLELossless

from medscale.__main__ import main
from tests.ct_files import head, write_series, write_slice, write_volume


def truncate(path, share=0.6):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])


def cut(folder):
    truncate(write_slice(folder / "a.dcm"))


def cut_when_packed(folder):
    data = pydicom.dcmread(write_slice(folder / "a.dcm"))
    data.compress(RLELossless)
    data.save_as(folder / "a.dcm")
    truncate(folder / "a.dcm")


def cut_volume(folder):
    truncate(write_volume(folder / "a.nii.gz", head(64).T[:, :, None]))


def without_rescale(folder):
    write_slice(folder / "a.dcm", RescaleSlope=None, RescaleIntercept=None)


def mixed(folder):
    """Another size under the same series number."""
    write_series(folder)
    write_slice(folder / "other.dcm", head(20), z_mm=10)


def with_a_gap(folder):
    write_series(folder, count=5)
    (folder / "002.dcm").unlink()


def narrow(folder):
    write_slice(folder / "a.dcm", head()[:, :10])


def coronal(folder):
    write_slice(folder / "a.dcm", ImageOrientationPatient=[1, 0, 0, 0, 0, -1])


def not_a_number(folder):
    values = head().astype("f4").T[:, :, None].copy()
    values[3, 3] = float("nan")
    write_volume(folder / "a.nii", values)


def out_of_range(folder):
    write_volume(folder / "a.nii", head().astype("f4").T[:, :, None] * 100)


def windowed(folder):
    write_volume(folder / "a.nii", head().clip(0, 200).T[:, :, None])


def nothing(folder):
    (folder / "notes.txt").write_text("no CT")


FETCH = "Fetch it again, or leave it out."
SCANNER = "Give the slice as it came from the scanner"
VOLUME = "Give the volume as it came from the scanner, with its slope and intercept"


@pytest.mark.parametrize(
    ("write", "found", "mend"),
    [
        (cut, "a.dcm: found pixels that cannot be decoded", FETCH),
        (cut_when_packed, "a.dcm: found no pixel data: the file is truncated", FETCH),
        (cut_volume, "a.nii.gz: found a damaged or truncated file", "Fetch the volume again"),
        (without_rescale, "a.dcm: found no RescaleSlope or RescaleIntercept", SCANNER),
        (mixed, "other.dcm: found 20 × 20 pixels, unlike 001.dcm beside it", "a folder of its own"),
        (with_a_gap, "found a gap of 5 mm after 003.dcm", "Fetch the missing slices"),
        (narrow, "a.dcm: found slices of 16 rows and 10 columns", "Pad it with air"),
        (coronal, "a.dcm: found a coronal or sagittal series", "Give the axial series"),
        (not_a_number, "a.nii: found 1 values that are no number (NaN or infinite)", VOLUME),
        (out_of_range, "a.nii: found values from -100000 to", VOLUME),
        (windowed, "a.nii: found values from 0 to 200, without any air", VOLUME),
        (nothing, "found no usable CT image", "warnings say what was left out"),
    ],
)
def test_no_sheet_is_written_of_what_cannot_be_used(tmp_path, caplog, write, found, mend):
    (tmp_path / "scans").mkdir()
    write(tmp_path / "scans")
    assert main(["ct_sheet", str(tmp_path / "scans"), "--output", str(tmp_path / "ct.csv")]) == 1
    assert found in caplog.text
    assert mend in caplog.text
    assert "found no usable CT image" in caplog.text
    assert not (tmp_path / "ct.csv").exists()


def test_one_patient_is_too_few(tmp_path, caplog):
    write_series(tmp_path / "scans")
    assert main(["ct_sheet", str(tmp_path / "scans"), "--output", str(tmp_path / "ct.csv")]) == 1
    assert "the patients: found 1 of them, none left for train or validation" in caplog.text
    assert "Add images of more patients" in caplog.text
    assert not (tmp_path / "ct.csv").exists()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("simulation: {views: [2000]}", "2000 views"),
        ("figures: {views: [1001]}", "1001 views"),
        ("figures: {image: nobody}", "found 'nobody'"),
        ("batch_growth: {schedules: {crop: [t32/1-3]}}", "the sizes 1-3 for t32"),
    ],
)
def test_impossible_settings_stop_the_run_before_any_job(snakemake, tmp_path, setting, message):
    (tmp_path / "bad.yaml").write_text(f"sparse_ct: {{{setting}}}\n")
    done = snakemake(tmp_path, "sparse_ct", "--dry-run", config=tmp_path / "bad.yaml")
    assert done.returncode != 0
    assert message in done.stdout
