import gzip
from itertools import permutations, product

import nibabel
import numpy as np
import pytest
from nibabel.orientations import aff2axcodes, apply_orientation, axcodes2ornt, io_orientation, ornt_transform

from medscale.files import sliced_volumes
from medscale.files.sliced_volumes import write_slices
from medscale.files.volumes import Volume, read_nifti, write_nifti

SHAPE = (5, 6, 7)


def affines():
    """Affines of all 48 ways that a file can run."""
    for axes, signs in product(permutations(range(3)), product((1, -1), repeat=3)):
        affine = np.eye(4)
        affine[:3, :3] = np.diag([0.7, 0.8, 3.0])[:, axes] * signs
        affine[:3, 3] = (-10, 20, 30)
        yield affine


def as_slices(values, affine, axes="IPL"):
    return apply_orientation(values, ornt_transform(io_orientation(affine), axcodes2ornt(axes)))


@pytest.fixture
def values():
    return np.random.default_rng(0).integers(0, 3, SHAPE, np.uint8)


@pytest.mark.parametrize("slab_bytes", [1, 100, 2**24])
def test_every_orientation_gives_the_bytes_of_the_whole_volume(tmp_path, values, monkeypatch, slab_bytes):
    monkeypatch.setattr(sliced_volumes, "SLAB_BYTES", slab_bytes)
    codes = set()
    for affine in affines():
        codes.add("".join(aff2axcodes(affine)))
        write_nifti(Volume(values, affine), tmp_path / "whole.nii")
        write_slices(as_slices(values, affine), "IPL", SHAPE, affine, np.uint8, tmp_path / "a.nii")
        assert (tmp_path / "a.nii").read_bytes() == (tmp_path / "whole.nii").read_bytes()
    assert len(codes) == 48


def test_a_packed_volume_holds_the_same_bytes_and_repeats(tmp_path, values):
    affine = np.diag([1.0, 2, 3, 1])
    write_nifti(Volume(values, affine), tmp_path / "whole.nii")
    for name in ("a.nii.gz", "b.nii.gz"):
        write_slices(as_slices(values, affine), "IPL", SHAPE, affine, np.uint8, tmp_path / name)
    packed = (tmp_path / "a.nii.gz").read_bytes()
    assert gzip.decompress(packed) == (tmp_path / "whole.nii").read_bytes()
    assert packed == (tmp_path / "b.nii.gz").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.nii.gz", "b.nii.gz", "whole.nii"]


def test_other_types_and_slice_directions(tmp_path):
    values = np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)
    affine = np.array([[0, 0, 2.0, -3], [-0.7, 0, 0, 5], [0, 0.7, 0.1, 8], [0, 0, 0, 1]])
    write_slices(as_slices(values, affine, "SAR"), "SAR", SHAPE, affine, np.float32, tmp_path / "a.nii")
    read = read_nifti(tmp_path / "a.nii")
    np.testing.assert_array_equal(read.values, values)
    np.testing.assert_allclose(read.affine, affine, rtol=1e-6)
    assert nibabel.load(tmp_path / "a.nii").get_data_dtype() == np.float32


@pytest.mark.parametrize(("part", "message"), [(slice(0, 4), "4 slices, not 5"), (slice(0, 0), "0 slices")])
def test_missing_slices_leave_no_file(tmp_path, values, part, message):
    affine = np.diag([1.0, 1, 1, 1])
    slices = as_slices(values, affine, "RAS")[part]
    with pytest.raises(ValueError, match=message):
        write_slices(slices, "RAS", SHAPE, affine, np.uint8, tmp_path / "a.nii")
    with pytest.raises(ValueError, match=r"shape \(7, 6\)"):
        write_slices(values.transpose(0, 2, 1), "RAS", SHAPE, affine, np.uint8, tmp_path / "a.nii")
    assert list(tmp_path.iterdir()) == []
