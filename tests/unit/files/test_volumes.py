import contextlib
import gzip
import struct

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medscale.errors import InputError
from medscale.files.volumes import Volume, read_nifti, write_nifti
from tests.ct_files import write_volume

OBLIQUE = np.array([[0, 0, 2.0, -3], [-0.7, 0, 0, 5], [0, 0.7, 0.1, 8], [0, 0, 0, 1]])


# Where fields lie in a NIfTI-1 header.
DIMENSIONS, SLOPE, CODES, TOWARDS_HEAD = (42, "<hhh"), (112, "<ff"), (252, "<hh"), (312, "<ffff")


def change_header(path, field, *values):
    """Overwrite fields that nibabel would mend when it saves."""
    content = bytearray(path.read_bytes())
    place, form = field
    struct.pack_into(form, content, place, *values)
    path.write_bytes(content)
    return path


@pytest.fixture
def volume():
    values = np.random.default_rng(0).normal(size=(4, 5, 6)).astype(np.float32)
    return Volume(values, np.array(OBLIQUE, float))


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_volume_comes_back(tmp_path, volume, name):
    write_nifti(volume, tmp_path / name)
    read = read_nifti(tmp_path / name)
    assert read.values.dtype == np.float32
    np.testing.assert_array_equal(read.values, volume.values)
    np.testing.assert_allclose(read.affine, volume.affine, rtol=1e-6)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_the_bytes_of_a_volume_repeat(tmp_path, volume, name):
    for prefix in ("one_", "another_"):
        write_nifti(volume, tmp_path / f"{prefix}{name}")
    assert (tmp_path / f"one_{name}").read_bytes() == (tmp_path / f"another_{name}").read_bytes()


def test_other_programs_find_affine_units_and_type(tmp_path):
    upright = np.diag([-0.8, -0.8, 2.5, 1.0])
    write_nifti(Volume(np.zeros((3, 4, 5), np.uint8), upright), tmp_path / "a.nii.gz")
    image = nibabel.load(tmp_path / "a.nii.gz")
    assert image.get_data_dtype() == np.uint8
    assert image.header.get_xyzt_units()[0] == "mm"
    for affine, code in (image.get_sform(coded=True), image.get_qform(coded=True)):
        assert code == 1
        np.testing.assert_allclose(affine, upright, rtol=1e-6)


def test_scale_factors_are_applied(tmp_path):
    stored = np.arange(-30, 30, dtype=np.int16).reshape(3, 4, 5)
    path = change_header(write_volume(tmp_path / "a.nii", stored), SLOPE, 2.5, -1024.0)
    np.testing.assert_allclose(read_nifti(path).values, stored * 2.5 - 1024)


@pytest.mark.parametrize(("unit", "factor"), [("meter", 1000), ("micron", 0.001), ("unknown", 1)])
def test_other_units_become_mm(tmp_path, unit, factor):
    image = nibabel.Nifti1Image(np.zeros((3, 3, 3), np.float32), np.diag([0.5, 0.5, 2, 1]))
    image.header.set_xyzt_units(unit)
    nibabel.save(image, tmp_path / "a.nii")
    np.testing.assert_allclose(np.diag(read_nifti(tmp_path / "a.nii").affine)[:3] / factor, [0.5, 0.5, 2])


def test_the_qform_is_used_without_sform(tmp_path):
    image = nibabel.Nifti1Image(np.zeros((3, 3, 3), np.float32), None)
    image.set_qform(np.diag([-1, -2, 3, 1]), 1)
    nibabel.save(image, tmp_path / "a.nii")
    np.testing.assert_allclose(np.diag(read_nifti(tmp_path / "a.nii").affine), [-1, -2, 3, 1], atol=1e-6)


def test_a_last_axis_of_one_is_dropped_and_a_longer_one_refused(tmp_path):
    write_volume(tmp_path / "one.nii", np.zeros((3, 4, 5, 1), np.float32))
    assert read_nifti(tmp_path / "one.nii").values.shape == (3, 4, 5)
    write_volume(tmp_path / "two.nii", np.zeros((3, 4, 5, 2), np.float32))
    with pytest.raises(InputError, match="3 × 4 × 5 × 2"):
        read_nifti(tmp_path / "two.nii")
    write_volume(tmp_path / "flat.nii", np.zeros((3, 4), np.float32))
    with pytest.raises(InputError, match="2 axes"):
        read_nifti(tmp_path / "flat.nii")


COLOURS = np.zeros((3, 3, 3), [("R", "u1"), ("G", "u1"), ("B", "u1")])


@pytest.mark.parametrize(
    ("values", "message"), [(COLOURS, r"colours \(RGB\)"), (np.zeros((3, 3, 3), np.complex64), "complex64")]
)
def test_values_that_are_no_numbers_are_refused(tmp_path, values, message):
    write_volume(tmp_path / "a.nii.gz", values)
    with pytest.raises(InputError, match=message):
        read_nifti(tmp_path / "a.nii.gz")


def test_a_volume_without_a_place_is_refused(tmp_path):
    zeros = np.zeros((3, 3, 3), np.float32)
    with pytest.raises(InputError, match="qform_code and sform_code are 0"):
        read_nifti(change_header(write_volume(tmp_path / "a.nii", zeros), CODES, 0, 0))
    with pytest.raises(InputError, match="flattens space"):
        read_nifti(change_header(write_volume(tmp_path / "b.nii", zeros), TOWARDS_HEAD, 1, 1, 0, 0))


@settings(max_examples=40, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True), packed=st.booleans())
def test_a_volume_cut_anywhere_is_refused(tmp_path_factory, share, packed):
    folder = tmp_path_factory.mktemp("cut")
    values = np.random.default_rng(0).normal(size=(8, 8, 8)).astype(np.float32)
    path = folder / ("a.nii.gz" if packed else "a.nii")
    write_nifti(Volume(values, np.eye(4)), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=r"a\.nii"):
        read_nifti(path)


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=300, deadline=None)
@given(place=st.integers(0, 351), value=st.integers(0, 255))
def test_any_changed_byte_of_a_header_is_read_or_explained(tmp_path_factory, place, value):
    path = write_volume(tmp_path_factory.mktemp("changed") / "a.nii", np.ones((2, 3, 4), np.int16))
    change_header(path, (place, "B"), value)
    with contextlib.suppress(InputError):
        assert read_nifti(path).values.ndim == 3


def test_a_changed_checksum_in_a_packed_volume_is_refused(tmp_path):
    values = np.random.default_rng(0).normal(size=(40, 40, 40)).astype(np.float32)
    write_nifti(Volume(values, np.eye(4)), tmp_path / "a.nii.gz")
    content = bytearray((tmp_path / "a.nii.gz").read_bytes())
    content[-6] ^= 1
    (tmp_path / "a.nii.gz").write_bytes(content)
    with pytest.raises(InputError, match=r"damaged or truncated file \(CRC check failed"):
        read_nifti(tmp_path / "a.nii.gz")


@pytest.mark.parametrize("packed", [False, True])
def test_a_header_that_promises_too_much_costs_no_memory(tmp_path, packed):
    """1200³ voxels would be 6.9 GB."""
    path = write_volume(tmp_path / "a.nii", np.zeros((3, 3, 3), np.float32))
    change_header(path, DIMENSIONS, 1200, 1200, 1200)
    if packed:
        content, path = path.read_bytes(), tmp_path / "a.nii.gz"
        path.write_bytes(gzip.compress(content))
    with pytest.raises(InputError, match="cannot hold the 6912000352"):
        read_nifti(path)


@pytest.mark.parametrize("lengths", [(3, -3, 3), (0, 3, 3), (32767, 32767, 32767)])
def test_impossible_lengths_are_refused(tmp_path, lengths):
    path = write_volume(tmp_path / "a.nii", np.zeros((3, 3, 3), np.float32))
    change_header(path, DIMENSIONS, *lengths)
    with pytest.raises(InputError, match=r"a\.nii"):
        read_nifti(path)


def test_other_files_are_refused(tmp_path):
    (tmp_path / "text.nii").write_text("no NIfTI")
    with pytest.raises(InputError, match="no readable NIfTI header"):
        read_nifti(tmp_path / "text.nii")
    with pytest.raises(InputError, match="no such file"):
        read_nifti(tmp_path / "missing.nii")
    nibabel.save(nibabel.Nifti1Pair(np.zeros((3, 3, 3), np.float32), np.eye(4)), tmp_path / "pair.img")
    with pytest.raises(InputError, match="Nifti1Pair"):
        read_nifti(tmp_path / "pair.img")


def test_real_volumes_are_read_as_nibabel_reads_them(real_data):
    for name in ("totalseg_example_ct.nii.gz", "CT_AVM.nii.gz"):
        path = real_data / "ct_nifti" / name
        volume, image = read_nifti(path), nibabel.load(path)
        np.testing.assert_array_equal(volume.values, image.get_fdata().astype(np.float32))
        np.testing.assert_array_equal(volume.affine, image.affine)
    with pytest.raises(InputError, match="colours"):
        read_nifti(real_data / "ct_nifti/ct_perfusion.nii.gz")
    kidneys = read_nifti(real_data / "kits19/case_00015/segmentation.nii.gz")
    assert nibabel.aff2axcodes(kidneys.affine) == ("I", "P", "L")
