import nibabel
import numpy as np
import pytest

from medscale.errors import InputError
from medscale.sparse_ct.images import CtImage, StoredSlices, read_image, write_image
from medscale.sparse_ct.png_slices import PngScale
from tests.ct_files import head, write_series, write_slice, write_volume

SCALE = PngScale(-1000, 1000, 0.8)
# Slices along the first axis from the head down, as KiTS19 keeps them: (I, P, L).
KITS_AFFINE = np.array([[0, 0, -0.8, 50], [0, -0.8, 0, 60], [-3.0, 0, 0, 70], [0, 0, 0, 1]])


def stack(count=3, size_px=16):
    """Return HU of shape (slices, rows, columns)."""
    return np.stack([head(size_px, seed) for seed in range(count)]).astype(np.float32)


def test_dicom_and_nifti_of_one_scan_give_the_same_image(tmp_path):
    """Slices by number, front on top and the patient's right on the left, whatever the axes of the file."""
    hu = stack()
    write_series(tmp_path / "series", count=3, step_mm=3.0)
    affine = np.diag([-0.8, -0.8, 3.0, 1.0])
    upright = np.diag([0.8, 0.8, 3.0, 1.0])
    write_volume(tmp_path / "lps.nii.gz", hu.transpose(2, 1, 0), affine)
    write_volume(tmp_path / "ras.nii", hu.transpose(2, 1, 0)[::-1, ::-1], upright)
    for name in ("series", "lps.nii.gz", "ras.nii"):
        image = read_image(tmp_path / name)
        np.testing.assert_array_equal(image.hu, hu)
        assert image.hu.dtype == np.float32
        assert image.pixel_mm == pytest.approx(0.8)
        assert image.slice_axis == 2


def test_slices_on_the_first_axis_keep_the_numbers_of_the_file(tmp_path):
    hu = stack()
    image = read_image(write_volume(tmp_path / "kits.nii.gz", hu, KITS_AFFINE))
    np.testing.assert_array_equal(image.hu, hu)
    assert image.slice_axis == 0


@pytest.mark.parametrize("affine", [np.diag([-0.8, -0.8, 3.0, 1]), np.diag([0.8, 0.8, -3.0, 1]), KITS_AFFINE])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_an_image_comes_back_in_the_axes_of_its_file(tmp_path, affine, name):
    values = np.ascontiguousarray(stack(16).transpose(1, 0, 2))
    image = read_image(write_volume(tmp_path / f"input_{name}", values, affine))
    write_image(image, tmp_path / name)
    stored = nibabel.load(tmp_path / name)
    np.testing.assert_array_equal(stored.get_fdata(), values)
    np.testing.assert_allclose(stored.affine, affine, rtol=1e-6)
    again = read_image(tmp_path / name)
    np.testing.assert_array_equal(again.hu, image.hu)
    assert again.pixel_mm == image.pixel_mm


def test_other_values_take_the_same_place():
    image = CtImage.of_slices(stack(), pixel_mm=0.8, slice_mm=5.0)
    other = image.with_hu(image.hu.astype(float) + 1)
    assert other.hu.dtype == np.float32
    assert other.affine is image.affine
    with pytest.raises(ValueError, match="shape"):
        image.with_hu(image.hu[0])


def test_slices_are_placed_around_the_origin():
    image = CtImage.of_slices(stack(), pixel_mm=0.8, slice_mm=5.0)
    volume = image.volume()
    middle = [(length - 1) / 2 for length in volume.values.shape]
    np.testing.assert_allclose(volume.affine @ [*middle, 1], [0, 0, 0, 1], atol=1e-12)
    np.testing.assert_array_equal(CtImage.from_volume(volume).hu, image.hu)
    assert image.pixel_mm == pytest.approx(0.8)


def test_a_png_becomes_one_slice(tmp_path):
    import cv2

    grey = np.clip((head() + 1000) // 8, 0, 255).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), grey)
    image = read_image(tmp_path / "a.png", SCALE)
    np.testing.assert_allclose(image.hu[0], -1000 + grey * (2000 / 255), rtol=1e-4)
    assert image.pixel_mm == pytest.approx(0.8)
    with pytest.raises(InputError, match="without a scale"):
        read_image(tmp_path / "a.png")
    with pytest.raises(InputError, match="without any air"):
        read_image(tmp_path / "a.png", PngScale(-160, 240, 0.8))


def test_padding_becomes_air_in_dicom_and_nifti(tmp_path):
    hu = head()
    hu[0], hu[1], hu[2, 2:] = -3024, -1100, 500
    write_slice(tmp_path / "a.dcm", hu, PixelPaddingValue=1524)
    write_volume(tmp_path / "a.nii", hu.T[:, :, None].astype(np.float32))
    dicom, nifti = (read_image(tmp_path / name).hu[0] for name in ("a.dcm", "a.nii"))
    assert (dicom[:2] == -1000).all()
    assert (nifti[:2] == -1000).all()
    # 500 HU is stored as 1524, which the header of the DICOM file calls padding.
    assert (dicom[2, 2:] == -1000).all()
    assert (nifti[2, 2:] == 500).all()
    np.testing.assert_array_equal(dicom[3:], hu[3:])


CORONAL, SAGITTAL = [1, 0, 0, 0, 0, -1], [0, 1, 0, 0, 0, -1]
TILTED = [1, 0, 0, 0, float(np.cos(0.2)), float(np.sin(0.2))]


@pytest.mark.parametrize(
    ("hu", "changes", "message"),
    [
        (head(), {"ImageOrientationPatient": CORONAL}, "coronal or sagittal"),
        (head(), {"ImageOrientationPatient": SAGITTAL}, "coronal or sagittal"),
        (head(), {"ImageOrientationPatient": TILTED}, "tilted by 11.5 degrees"),
        (head()[:, :12], {}, "16 rows and 12 columns"),
        (head(), {"PixelSpacing": [0.8, 0.81]}, "pixels of 0.8 × 0.81 mm"),
        (head().clip(-400), {}, "without any air"),
        (head(), {"RescaleSlope": 40}, "far out of range"),
        (head(), {"Modality": "PT"}, "the modality PT"),
        (head(), {"RescaleIntercept": None}, "its values are not HU"),
    ],
)
def test_dicom_that_is_no_square_axial_ct_is_refused(tmp_path, hu, changes, message):
    with pytest.raises(InputError, match=message):
        read_image(write_slice(tmp_path / "a.dcm", hu, **changes))


def test_a_spacing_that_differs_by_rounding_is_accepted(tmp_path):
    image = read_image(write_slice(tmp_path / "a.dcm", PixelSpacing=[0.7813, 0.78125]))
    assert image.pixel_mm == pytest.approx(0.781275)


def test_nifti_that_is_no_square_axial_ct_is_refused(tmp_path):
    hu = stack(16).transpose(2, 1, 0)
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(0.2), -np.sin(0.2)], [np.sin(0.2), np.cos(0.2)]]
    with pytest.raises(InputError, match=r"tilted by 11\.5 degrees"):
        read_image(write_volume(tmp_path / "tilted.nii", hu, turn))
    with pytest.raises(InputError, match="16 rows and 12 columns"):
        read_image(write_volume(tmp_path / "narrow.nii", hu[:12]))
    with pytest.raises(InputError, match=r"pixels of 0\.9 × 0\.8 mm"):
        read_image(write_volume(tmp_path / "uneven.nii", hu, np.diag([0.8, 0.9, 2, 1])))
    hu[3, 4, 5] = np.nan
    with pytest.raises(InputError, match="1 values that are no number"):
        read_image(write_volume(tmp_path / "nan.nii", hu))


@pytest.mark.parametrize("affine", [np.diag([-0.8, -0.8, 3.0, 1]), KITS_AFFINE])
def test_stored_slices_are_those_of_the_image(tmp_path, affine):
    values = np.ascontiguousarray(stack(16).transpose(1, 0, 2))
    image = read_image(write_volume(tmp_path / "input.nii", values, affine))
    write_image(image, tmp_path / "a.nii")
    slices = StoredSlices(tmp_path / "a.nii")
    assert len(slices) == 16
    assert slices.size_px == 16
    assert slices.pixel_mm == pytest.approx(0.8)
    for number in (0, 5, -1):
        np.testing.assert_array_equal(slices[number], image.hu[number])
    np.testing.assert_array_equal(list(slices), image.hu)
    assert slices[0].flags.c_contiguous
    with pytest.raises(IndexError):
        slices[16]


def test_a_slice_can_be_changed_without_changing_the_file(tmp_path):
    write_image(CtImage.of_slices(stack(), 0.8), tmp_path / "a.nii")
    slices = StoredSlices(tmp_path / "a.nii")
    slices[0][:] = 7
    np.testing.assert_array_equal(slices[0], stack()[0])


def test_slices_are_not_stored_in_other_files(tmp_path):
    image = CtImage.of_slices(stack(), 0.8)
    write_image(image, tmp_path / "a.nii.gz")
    write_volume(tmp_path / "whole_numbers.nii", stack().astype(np.int16))
    for name in ("a.nii.gz", "whole_numbers.nii"):
        with pytest.raises(InputError, match="compressed or scaled values, or other than float32"):
            StoredSlices(tmp_path / name)
    write_image(image, tmp_path / "cut.nii")
    content = (tmp_path / "cut.nii").read_bytes()
    (tmp_path / "cut.nii").write_bytes(content[:-4])
    with pytest.raises(InputError, match="truncated"):
        StoredSlices(tmp_path / "cut.nii")
