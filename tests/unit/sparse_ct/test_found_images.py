import pytest

from medscale.errors import InputError
from medscale.sparse_ct.found_images import find_images, plain_name
from tests.ct_files import write_series, write_slice


def found(folder):
    """Return path and patient of what is found, paths relative to the folder."""
    return {str(image.path.relative_to(folder)): image.patient for image in find_images([folder])}


def test_a_folder_of_one_series_is_one_image(tmp_path):
    write_series(tmp_path / "a/series", PatientID="TCGA-17")
    assert found(tmp_path) == {"a/series": "TCGA-17"}


def test_slices_of_several_series_are_images_of_their_own(tmp_path):
    write_series(tmp_path, count=2, PatientID="x^1")
    write_slice(tmp_path / "scout.dcm", SeriesInstanceUID="1.2.1.2", PatientID="x^1")
    assert found(tmp_path) == {"001.dcm": "x-1", "002.dcm": "x-1", "scout.dcm": "x-1"}


def test_some_slices_of_a_series_do_not_stand_for_its_folder(tmp_path):
    write_series(tmp_path, count=3)
    named = [tmp_path / "001.dcm", tmp_path / "002.dcm"]
    assert [image.path for image in find_images(named)] == named
    assert [image.path for image in find_images([*named, tmp_path / "003.dcm"])] == [tmp_path]


def test_links_keep_their_names_and_hidden_stores_do_not_count(tmp_path):
    store = tmp_path / ".store"
    store.mkdir()
    write_slice(store / "0f3a", PatientID="x")
    (tmp_path / "patient.dcm").symlink_to(store / "0f3a")
    assert found(tmp_path) == {"patient.dcm": "x"}


def test_one_slice_in_a_folder_is_that_file(tmp_path):
    write_slice(tmp_path / "slice", PatientID="x")
    assert found(tmp_path) == {"slice": "x"}


def test_files_without_patient_are_kept_together_by_study(tmp_path, caplog):
    """What could be one patient must not be taken for two, or it could end up in two splits."""
    for name, study, series in [("a", "1", "1.1"), ("b", "1", "1.2"), ("c", "2", "2.1"), ("d", None, "3.1")]:
        tags = {"PatientID": None, "StudyInstanceUID": study, "SeriesInstanceUID": series}
        write_slice(tmp_path / f"{name}.dcm", **tags)
    (tmp_path / "nameless").mkdir()
    for name in "ef":
        tags = {"PatientID": "", "StudyInstanceUID": None, "SeriesInstanceUID": None}
        write_slice(tmp_path / f"nameless/{name}.dcm", **tags)
    patients = found(tmp_path)
    first = tmp_path.name
    assert {path: patient.removeprefix(plain_name(first)) for path, patient in patients.items()} == {
        "a.dcm": "_a",
        "b.dcm": "_a",
        "c.dcm": "_c",
        "d.dcm": "_d",
        "nameless": "nameless",
    }
    assert caplog.text.count("has no PatientID") == 4


def test_a_nifti_volume_is_a_patient_of_its_own(tmp_path):
    for name in ("case_1.nii.gz", "case.2.nii", "notes.txt", "mask.mha"):
        (tmp_path / name).touch()
    assert found(tmp_path) == {"case.2.nii": "case-2", "case_1.nii.gz": "case_1"}


def test_a_damaged_file_is_left_out_with_its_reason(tmp_path, caplog):
    write_slice(tmp_path / "good.dcm")
    (tmp_path / "bad.dcm").write_bytes(b"\0" * 200)
    assert list(found(tmp_path)) == ["good.dcm"]
    assert "left out" in caplog.text
    assert "bad.dcm: found no readable DICOM file" in caplog.text


def test_a_file_named_twice_is_found_once(tmp_path):
    path = write_slice(tmp_path / "a.dcm")
    assert len(find_images([tmp_path, path, str(path)])) == 1
    with pytest.raises(InputError, match="no such file or folder"):
        find_images([tmp_path / "missing"])


@pytest.mark.parametrize(
    ("text", "expected"), [("TCGA-17", "TCGA-17"), ("Doe^Jane 1", "Doe-Jane-1"), ("-_a_-", "a"), ("..a", "a")]
)
def test_names_become_plain(text, expected):
    assert plain_name(text) == expected


def test_names_without_any_latin_letter_stay_apart():
    assert plain_name("山田") != plain_name("佐藤")
    assert plain_name("山田").isalnum()
