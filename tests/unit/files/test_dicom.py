import contextlib
import shutil

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import JPEG2000Lossless, RLELossless

from medscale.errors import InputError
from medscale.files.dicom import read_dicom
from tests.ct_files import SIZE_PX, head, write_series, write_slice


def in_space(affine, *index):
    return affine @ [*index, 1]


def test_a_slice_is_read_in_hu_at_its_place(tmp_path):
    hu = head(8)
    write_slice(tmp_path / "a.dcm", hu, z_mm=47.0, PixelSpacing=[0.9, 0.7])
    volume = read_dicom(tmp_path / "a.dcm", "CT")
    np.testing.assert_array_equal(volume.values[:, :, 0].T, hu)
    # DICOM counts to the left and back, the affine to the right and front. Spacing: rows first.
    np.testing.assert_allclose(in_space(volume.affine, 0, 0, 0), [100, 200, 47, 1])
    np.testing.assert_allclose(in_space(volume.affine, 2, 0, 0), [100 - 1.4, 200, 47, 1])
    np.testing.assert_allclose(in_space(volume.affine, 0, 2, 0), [100, 200 - 1.8, 47, 1])
    np.testing.assert_allclose(in_space(volume.affine, 0, 0, 1), [100, 200, 49.5, 1])


def test_a_series_is_sorted_along_the_body_whatever_its_names(tmp_path):
    volume = read_dicom(write_series(tmp_path / "s"), "CT")
    assert volume.values.shape == (SIZE_PX, SIZE_PX, 4)
    for number in range(4):
        np.testing.assert_array_equal(volume.values[:, :, number].T, head(seed=number))
    np.testing.assert_allclose(np.diag(volume.affine), [-0.8, -0.8, 2.5, 1])


def test_a_tilted_orientation_leads_along_its_normal(tmp_path):
    cosine, sine = np.cos(0.3), np.sin(0.3)
    for number in range(3):
        place = [-10, -20 - 4 * number * sine, 5 + 4 * number * cosine]
        tilt = {"ImageOrientationPatient": [1, 0, 0, 0, cosine, sine], "ImagePositionPatient": place}
        write_slice(tmp_path / f"{number}.dcm", **tilt)
    affine = read_dicom(tmp_path, "CT").affine
    np.testing.assert_allclose(in_space(affine, 0, 0, 2), [10, 20 + 8 * sine, 5 + 8 * cosine, 1])
    np.testing.assert_allclose(affine[:3, 1], [0, -0.8 * cosine, 0.8 * sine])


def test_each_slice_has_its_own_slope_and_intercept(tmp_path):
    stored = np.arange(SIZE_PX**2).reshape(SIZE_PX, SIZE_PX)
    for number, (slope, intercept) in enumerate([(1.0002441, -1024), (2.0, 5.0)]):
        rescale = {"RescaleSlope": slope, "RescaleIntercept": intercept}
        write_slice(tmp_path / f"{number}.dcm", stored - 1024, z_mm=number, **rescale)
    values = read_dicom(tmp_path, "CT").values
    np.testing.assert_allclose(values[:, :, 0].T, stored * 1.0002441 - 1024, rtol=1e-6)
    np.testing.assert_allclose(values[:, :, 1].T, stored * 2.0 + 5)


@pytest.mark.parametrize(
    ("tags", "stored", "expected"),
    [
        ({"PixelPaddingValue": -2000}, [-2000, -1999, 7], [-1, -1999, 7]),
        ({"PixelPaddingValue": 63536}, [-2000, -1999, 7], [-1, -1999, 7]),
        ({"PixelPaddingValue": -2000, "PixelPaddingRangeLimit": -1500}, [-1800, -1499, 7], [-1, -1499, 7]),
        ({"PixelPaddingValue": 63536, "PixelRepresentation": 0}, [63536, 24, 7], [-1, 24, 7]),
    ],
)
def test_padding_is_replaced_whatever_its_sign(tmp_path, tags, stored, expected):
    pixels = np.zeros((4, 4), np.int64)
    pixels[0, :3] = stored
    write_slice(tmp_path / "a.dcm", pixels, intercept=0)
    data = pydicom.dcmread(tmp_path / "a.dcm")
    data.PixelRepresentation = tags.get("PixelRepresentation", 1)
    for keyword, value in tags.items():
        # Scanners write 63536 for signed pixels: the kind of the value does not follow that of the pixels.
        data.add_new(keyword, "US" if value > 0 else "SS", value)
    data.save_as(tmp_path / "a.dcm")
    np.testing.assert_array_equal(read_dicom(tmp_path / "a.dcm", "CT", -1.0).values[:3, 0, 0], expected)
    np.testing.assert_array_equal(read_dicom(tmp_path / "a.dcm", "CT").values[:3, 0, 0], stored)


def test_padding_amid_the_values_is_reported(tmp_path, caplog):
    write_slice(tmp_path / "a.dcm", head(), intercept=0, PixelPaddingValue=0)
    read_dicom(tmp_path / "a.dcm", "CT", -1000.0)
    assert caplog.text == ""
    hu = head()
    hu[8, 3:6] = 0
    write_slice(tmp_path / "b.dcm", hu, intercept=0, PixelPaddingValue=0)
    read_dicom(tmp_path / "b.dcm", "CT", -1000.0)
    assert "b.dcm: 3 pixels have its padding value 0, which lies between the other values" in caplog.text


def test_a_missing_modality_is_taken_with_one_warning(tmp_path, caplog):
    write_slice(tmp_path / "a.dcm", Modality=None)
    read_dicom(tmp_path / "a.dcm", "CT")
    assert caplog.text.count("states no modality: taken for CT") == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Modality": "MR"}, "the modality MR"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "localizer"),
        ({"RescaleSlope": None}, "no RescaleSlope or RescaleIntercept"),
        ({"RescaleIntercept": None}, "no RescaleSlope or RescaleIntercept"),
        ({"RescaleSlope": 0}, "a RescaleSlope of 0"),
        ({"RescaleType": "Z_EFF"}, "the unit Z_EFF instead of HU"),
        ({"NumberOfFrames": 2}, "several frames"),
        ({"PhotometricInterpretation": "RGB"}, "pixels of the kind RGB"),
        ({"PhotometricInterpretation": "MONOCHROME1"}, "pixels of the kind MONOCHROME1"),
        ({"PixelSpacing": None}, "no ImagePositionPatient, ImageOrientationPatient or PixelSpacing"),
        ({"ImagePositionPatient": None}, "no ImagePositionPatient"),
        ({"ImageOrientationPatient": None}, "no ImagePositionPatient"),
        ({"PixelSpacing": [0.2, 0, 0.2]}, r"a PixelSpacing of \[0.2, 0.0, 0.2\] instead of 2"),
        ({"PixelSpacing": [0.8, -0.8]}, r"a PixelSpacing of \[0.8, -0.8\] mm"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "not two perpendicular"),
        ({"ImageOrientationPatient": [2, 0, 0, 0, 1, 0]}, "not two perpendicular"),
        ({"Rows": 20}, "pixels that cannot be decoded"),
        ({"Rows": 0}, "0 × 16 pixels"),
        ({"PixelData": None}, "no pixel data"),
    ],
)
def test_a_slice_that_cannot_be_used_is_explained(tmp_path, changes, message):
    path = write_slice(tmp_path / "a.dcm", **changes)
    with pytest.raises(InputError, match=message):
        read_dicom(path, "CT")


def test_other_modalities_need_no_rescale(tmp_path):
    write_slice(tmp_path / "a.dcm", intercept=0, Modality="MR", RescaleSlope=None, RescaleIntercept=None)
    np.testing.assert_array_equal(read_dicom(tmp_path / "a.dcm").values[:, :, 0].T, head())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"SeriesInstanceUID": "1.2.9"}, "series 1.2.9, unlike 0.dcm"),
        ({"hu": head(12)}, "12 × 12 pixels"),
        ({"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}, "another orientation"),
        ({"PixelSpacing": [0.9, 0.9]}, "pixels of 0.9 × 0.9 mm"),
        ({"z_mm": 2.5}, "at the same place"),
        ({"z_mm": 6.0}, "a gap of 1 mm after"),
        ({"z_mm": 10.0}, "a gap of 5 mm after 2.dcm where others have 2.5 mm"),
        ({"ImagePositionPatient": [-100, -203, 7.5]}, "drift sideways by 3 mm"),
    ],
)
def test_files_that_are_not_one_even_series_are_refused(tmp_path, changes, message):
    for number in range(3):
        write_slice(tmp_path / f"{number}.dcm", head(seed=number), z_mm=2.5 * number)
    hu = changes.get("hu", head(seed=3))
    tags = {name: value for name, value in changes.items() if name != "hu"}
    write_slice(tmp_path / "odd.dcm", hu, **({"z_mm": 7.5} | tags))
    with pytest.raises(InputError, match=message):
        read_dicom(tmp_path, "CT")


def test_every_inner_slice_that_is_missing_is_noticed(tmp_path):
    for missing in range(1, 4):
        folder = write_series(tmp_path / str(missing), count=5)
        (folder / f"{5 - missing:03d}.dcm").unlink()
        with pytest.raises(InputError, match="a gap of 5 mm"):
            read_dicom(folder, "CT")


def test_positions_that_were_rounded_are_even(tmp_path):
    for number in range(5):
        write_slice(tmp_path / f"{number}.dcm", z_mm=round(number * 10 / 3, 1))
    assert read_dicom(tmp_path, "CT").affine[2, 2] == pytest.approx(10 / 3, rel=0.01)


def test_other_files_of_a_folder_do_not_count(tmp_path):
    folder = write_series(tmp_path / "s")
    (folder / "notes.txt").write_text("nothing")
    shutil.copy(folder / "001.dcm", folder / "DICOMDIR")
    shutil.copy(folder / "001.dcm", folder / ".001.dcm")
    assert read_dicom(folder, "CT").values.shape[2] == 4
    (folder / "000.dcm").write_bytes(b"")
    with pytest.raises(InputError, match=r"000\.dcm: found no readable DICOM file"):
        read_dicom(folder, "CT")


def test_places_without_dicom_are_refused(tmp_path):
    with pytest.raises(InputError, match="a folder without DICOM files"):
        read_dicom(tmp_path, "CT")
    with pytest.raises(InputError, match="no such file or folder"):
        read_dicom(tmp_path / "missing", "CT")
    (tmp_path / "text").write_text("no DICOM")
    with pytest.raises(InputError, match="no readable DICOM file"):
        read_dicom(tmp_path / "text", "CT")


@pytest.mark.filterwarnings("ignore:End of file reached")
@settings(max_examples=60, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True), packed=st.booleans())
def test_a_slice_cut_anywhere_is_refused(tmp_path_factory, share, packed):
    path = write_slice(tmp_path_factory.mktemp("cut") / "a.dcm")
    if packed:
        data = pydicom.dcmread(path)
        data.compress(RLELossless)
        data.save_as(path)
    content = path.read_bytes()
    # The last 8 bytes of packed pixels only say that nothing follows.
    path.write_bytes(content[: int(share * (len(content) - 8 * packed))])
    with pytest.raises(InputError, match=r"a\.dcm"):
        read_dicom(path, "CT")


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=300, deadline=None)
@given(place=st.integers(0, 1100), value=st.integers(0, 255))
def test_any_changed_byte_of_a_header_is_read_or_explained(tmp_path_factory, place, value):
    path = write_slice(tmp_path_factory.mktemp("changed") / "a.dcm")
    content = bytearray(path.read_bytes())
    content[place] = value
    path.write_bytes(content)
    with contextlib.suppress(InputError):
        assert read_dicom(path, "CT", -1000.0).values.ndim == 3


@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_a_codestream_cut_inside_whole_wrapping_is_refused(tmp_path, real_data, share):
    data = pydicom.dcmread(real_data / "ct_dicom/transfer_syntaxes/CT1_J2KR")
    assert data.file_meta.TransferSyntaxUID == JPEG2000Lossless
    stream = get_frame(data.PixelData, 0, number_of_frames=1)
    data.PixelData = encapsulate([stream[: int(share * len(stream))]])
    data.save_as(tmp_path / "a.dcm")
    with pytest.raises(InputError, match="cannot be decoded"):
        read_dicom(tmp_path / "a.dcm", "CT")


def test_all_transfer_syntaxes_give_the_same_pixels(real_data):
    files = sorted((real_data / "ct_dicom/transfer_syntaxes").glob("CTImage.dcm_*"))
    plain = pydicom.dcmread(next(file for file in files if "LittleEndian" in file.name))
    expected = np.frombuffer(plain.PixelData, "<i2").reshape(512, 512) - 1024.0
    assert len(files) == 5
    for file in files:
        np.testing.assert_array_equal(read_dicom(file, "CT").values[:, :, 0].T, expected)


def test_the_real_series_is_sorted_and_even(real_data):
    volume = read_dicom(real_data / "ct_dicom/totalseg_series", "CT", -1000.0)
    assert volume.values.shape == (512, 512, 20)
    np.testing.assert_allclose(np.diag(volume.affine), [-0.9765625, -0.9765625, 2, 1])
    np.testing.assert_allclose(volume.affine[:3, 3], [249.51171875, 437.51171875, -804.5])
    # Neighbours in space look alike; slices in the order of their files run the other way.
    steps = np.abs(np.diff(volume.values, axis=2)).mean((0, 1))
    assert steps.max() < np.abs(volume.values[:, :, 0] - volume.values[:, :, -1]).mean()
