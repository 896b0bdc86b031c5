"""Cases come in one orientation whatever their files', and go back; what cannot be a case is refused."""

import struct

import nibabel
import numpy as np
import pytest
from nibabel.orientations import aff2axcodes

from medscale.errors import InputError
from medscale.files.volumes import write_nifti
from medscale.kits19.cases import check_same_place, read_case, read_grid, read_segmentation, to_original
from tests.kits19_files import AFFINE, SHAPE, make_hu, make_labels, turn, write_case, write_volume


def test_a_case_in_kits19_axes(tmp_path):
    case = read_case(*write_case(tmp_path))
    np.testing.assert_array_equal(case.hu, make_hu())
    np.testing.assert_array_equal(case.labels, make_labels())
    assert (case.hu.dtype, case.labels.dtype) == (np.int16, np.uint8)
    assert case.grid.case_shape == SHAPE
    assert case.grid.spacing_mm == pytest.approx((3, 0.9, 0.8))


@pytest.mark.parametrize("axes", ["IPL", "LPS", "RAS", "PIR", "ASL", "SRA"])
def test_every_orientation_shows_the_same_patient(tmp_path, axes):
    for name, values in (("imaging", make_hu()), ("segmentation", make_labels())):
        turned, affine = turn(values, AFFINE, axes)
        assert aff2axcodes(affine) == tuple(axes)
        write_volume(tmp_path / f"{name}.nii.gz", turned, affine)
    case = read_case(tmp_path / "imaging.nii.gz", tmp_path / "segmentation.nii.gz")
    np.testing.assert_array_equal(case.hu, make_hu())
    np.testing.assert_array_equal(case.labels, make_labels())
    assert case.grid.case_shape == SHAPE
    assert case.grid.spacing_mm == pytest.approx((3, 0.9, 0.8))


@pytest.mark.parametrize("axes", ["IPL", "LPS", "ASL"])
def test_labels_go_back_to_their_own_grid(tmp_path, axes):
    labels, affine = turn(make_labels(), AFFINE, axes)
    path = write_volume(tmp_path / "segmentation.nii.gz", labels, affine)
    read, grid = read_segmentation(path)
    write_nifti(to_original(read, grid), tmp_path / "back.nii.gz")
    back = nibabel.load(tmp_path / "back.nii.gz")
    np.testing.assert_array_equal(np.asarray(back.dataobj), labels)
    np.testing.assert_allclose(back.affine, affine, atol=1e-4)


def test_an_oblique_grid_is_taken_for_the_nearest_upright_one(tmp_path):
    turned = np.eye(4)
    turned[1:3, 1:3] = [[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]]
    case = read_case(*write_case(tmp_path, affine=turned @ AFFINE))
    np.testing.assert_array_equal(case.hu, make_hu())
    assert case.grid.spacing_mm == pytest.approx((3, 0.9, 0.8))
    np.testing.assert_allclose(to_original(case.labels, case.grid).affine, turned @ AFFINE, atol=1e-4)


def test_a_grid_is_read_from_a_header_without_its_voxels(tmp_path):
    imaging, _ = write_case(tmp_path, hu=np.random.default_rng(0).integers(-999, 999, (50, 60, 70), "i2"))
    imaging.write_bytes(imaging.read_bytes()[:3000])
    grid = read_grid(imaging)
    assert grid.shape == (50, 60, 70)
    np.testing.assert_allclose(grid.affine, AFFINE, atol=1e-5)


def test_labels_of_another_shape_do_not_go_back(tmp_path):
    grid = read_grid(write_case(tmp_path)[0])
    with pytest.raises(ValueError, match="labels of shape"):
        to_original(np.zeros((24, 20, 7), "u1"), grid)


@pytest.mark.parametrize("dtype", ["i2", "i4", "f4", "f8", "u2"])
def test_any_data_type_is_read(tmp_path, dtype):
    # HU are negative; only labels may be without sign.
    own = "i2" if dtype == "u2" else dtype
    case = read_case(*write_case(tmp_path, make_hu().astype(own), make_labels().astype(dtype)))
    np.testing.assert_array_equal(case.hu, make_hu())
    np.testing.assert_array_equal(case.labels, make_labels())
    assert case.labels.dtype == np.uint8
    assert case.hu.dtype == np.dtype("f4" if dtype == "f8" else own)


def test_labels_stored_as_fractions_of_a_scale_are_whole_numbers(tmp_path):
    path = write_volume(tmp_path / "segmentation.nii", make_labels() * np.uint8(100))
    content = bytearray(path.read_bytes())
    content[112:120] = struct.pack("<ff", 0.01, 0)
    path.write_bytes(content)
    assert np.asarray(nibabel.load(path).dataobj).dtype.kind == "f"
    np.testing.assert_array_equal(read_segmentation(path)[0], make_labels())


def test_a_qform_alone_is_enough(tmp_path):
    """As some files of KiTS19 have it: angles in single precision, and no sform."""
    imaging, segmentation = write_case(tmp_path)
    image = nibabel.load(segmentation)
    image.set_qform(AFFINE, 1)
    image.set_sform(None, 0)
    nibabel.save(image, segmentation)
    assert check_same_place(imaging, segmentation).shape == SHAPE


def test_no_labels_are_none(tmp_path):
    assert read_case(write_case(tmp_path)[0]).labels is None


def shift(affine, mm):
    moved = affine.copy()
    moved[0, 3] += mm
    return moved


@pytest.mark.parametrize(
    ("labels", "affine", "message"),
    [
        (make_labels()[1:], AFFINE, r"found 6 × 24 × 20 voxels.*expected the grid of .*: 7 × 24 × 20"),
        (make_labels(), shift(AFFINE, 0.5), r"with corners up to 0\.5 mm away"),
        (make_labels(), AFFINE * [[-1], [1], [1], [1]], "with corners up to"),
        (make_labels(), AFFINE * [[1, 1, 1.1, 1]], "mm from"),
    ],
)
def test_labels_elsewhere_than_their_ct_are_refused(tmp_path, labels, affine, message):
    imaging, segmentation = write_case(tmp_path)
    write_volume(segmentation, labels, affine)
    with pytest.raises(InputError, match=message):
        read_case(imaging, segmentation)


def test_rounding_is_no_other_place(tmp_path):
    imaging, segmentation = write_case(tmp_path)
    write_volume(segmentation, make_labels(), shift(AFFINE, 0.01))
    assert read_case(imaging, segmentation).labels.any()


@pytest.mark.parametrize(
    ("value", "dtype", "message"),
    [
        (3, "u1", "found the labels 0, 1, 2, 3; expected 0 .background., 1"),
        (255, "u1", "the labels 0, 1, 2, 255"),
        (-1, "i2", "the labels -1, 0, 1, 2"),
        (256, "u2", "the labels 0, 1, 2, 256"),
        (1.5, "f4", r"the labels 0, 1, 1\.5, 2"),
        (0.999, "f8", r"the labels 0, 0\.999, 1, 2"),
        (np.nan, "f4", "the labels 0, 1, 2, nan"),
        (np.inf, "f4", "the labels 0, 1, 2, inf"),
    ],
)
def test_other_labels_are_refused(tmp_path, value, dtype, message):
    labels = make_labels().astype(dtype)
    labels[3, 3, 3] = value
    path = write_volume(tmp_path / "segmentation.nii.gz", labels)
    with pytest.raises(InputError, match=message):
        read_segmentation(path)


def test_a_mask_of_probabilities_is_described_shortly(tmp_path):
    path = write_volume(tmp_path / "a.nii", np.random.default_rng(0).random((5, 6, 7)).astype("f4"))
    with pytest.raises(InputError, match=r"and 202 more; expected"):
        read_segmentation(path)


def test_what_is_no_ct_is_refused(tmp_path):
    imaging, _ = write_case(tmp_path)
    write_volume(imaging, make_hu().clip(0, 255))
    with pytest.raises(InputError, match=r"imaging\.nii\.gz: found values from 0 to \d+, without any air"):
        read_case(imaging)
    hu = make_hu().astype("f4")
    hu[0, 0, 0] = np.nan
    with pytest.raises(InputError, match="1 values that are no number"):
        read_case(write_volume(imaging, hu))


def test_four_axes_are_refused(tmp_path):
    path = write_volume(tmp_path / "a.nii.gz", np.zeros((4, 5, 6, 2), "i2"))
    with pytest.raises(InputError, match="4 axes of the lengths 4 × 5 × 6 × 2"):
        read_grid(path)
