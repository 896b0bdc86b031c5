"""Voxels are those that nibabel reads, in few bytes; files that are not whole are refused."""

import gzip
import struct
import tracemalloc

import nibabel
import numpy as np
import pytest

from medscale.errors import InputError
from medscale.files.voxels import CHUNK_BYTES, read_voxels

DIMENSIONS = 42


def write(path, values, slope=None, intercept=None):
    image = nibabel.Nifti1Image(values, np.diag([-0.7, -0.8, 2.5, 1]), dtype=values.dtype)
    if slope is not None:
        image.header.set_slope_inter(slope, intercept)
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize(
    ("stored", "kept"),
    [("u1", "u1"), ("<i2", "i2"), (">i2", "i2"), ("u2", "u2"), ("i4", "i4"), ("f4", "f4"), ("f8", "f4")],
)
def test_values_are_those_of_nibabel_in_few_bytes(tmp_path, name, stored, kept):
    values = np.random.default_rng(0).normal(0, 300, (5, 6, 7)).clip(0, 255).astype(stored)
    volume = read_voxels(write(tmp_path / name, values))
    assert volume.values.dtype == np.dtype(kept)
    assert volume.values.flags.f_contiguous
    np.testing.assert_array_equal(volume.values, nibabel.load(tmp_path / name).get_fdata(dtype=np.float32))
    np.testing.assert_allclose(volume.affine, np.diag([-0.7, -0.8, 2.5, 1]), rtol=1e-6)


def test_big_endian_files_are_read(tmp_path):
    values = np.arange(24, dtype=">i2").reshape(2, 3, 4)
    image = nibabel.Nifti1Image(values, np.eye(4), header=nibabel.Nifti1Header(endianness=">"))
    nibabel.save(image, tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(read_voxels(tmp_path / "a.nii.gz").values, values)


def test_scale_factors_are_applied(tmp_path):
    path = write(tmp_path / "a.nii.gz", np.arange(24, dtype=np.int16).reshape(2, 3, 4))
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[112:120] = struct.pack("<ff", 0.5, -1024)
    path.write_bytes(gzip.compress(content))
    values = read_voxels(path).values
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, np.arange(24).reshape(2, 3, 4) * 0.5 - 1024)


def test_volumes_of_many_chunks_are_whole(tmp_path):
    values = np.random.default_rng(0).normal(size=(64, 64, CHUNK_BYTES // 64**2 // 4)).astype(np.float64)
    assert values.nbytes > CHUNK_BYTES
    read = read_voxels(write(tmp_path / "a.nii", values)).values
    np.testing.assert_array_equal(read, values.astype(np.float32))


def test_a_fourth_axis_of_length_one_is_dropped(tmp_path):
    assert read_voxels(write(tmp_path / "a.nii", np.zeros((2, 3, 4, 1), "u1"))).values.shape == (2, 3, 4)


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_truncated_file_is_refused(tmp_path, name, share):
    path = write(tmp_path / name, np.random.default_rng(0).integers(0, 99, (20, 20, 20)).astype("i2"))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(InputError, match=rf"{name}.*truncated"):
        read_voxels(path)


def test_damage_that_only_the_checksum_shows_is_refused(tmp_path):
    path = write(tmp_path / "a.nii.gz", np.random.default_rng(0).integers(0, 99, (32, 32, 32)).astype("i2"))
    content = bytearray(path.read_bytes())
    content[-8] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        read_voxels(path)


def test_a_packed_file_with_too_few_values_is_refused(tmp_path):
    path = write(tmp_path / "a.nii.gz", np.zeros((8, 8, 8), "i2"))
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[DIMENSIONS : DIMENSIONS + 2] = struct.pack("<h", 9)
    path.write_bytes(gzip.compress(content))
    with pytest.raises(InputError, match=r"1376 bytes cannot hold the 1504 that it promises"):
        read_voxels(path)


def test_an_impossible_size_is_refused_before_memory_is_taken(tmp_path):
    path = write(tmp_path / "a.nii.gz", np.zeros((8, 8, 8), "i2"))
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[DIMENSIONS : DIMENSIONS + 6] = struct.pack("<hhh", 1200, 1200, 1200)
    path.write_bytes(gzip.compress(content))
    tracemalloc.start()
    with pytest.raises(InputError, match="truncated file"):
        read_voxels(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**24


def test_memory_holds_the_volume_once(tmp_path):
    values = np.random.default_rng(0).integers(0, 3, (128, 128, 160), "i2")
    path = write(tmp_path / "a.nii.gz", values)
    tracemalloc.start()
    read_voxels(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.6 * values.nbytes


def test_packed_files_of_several_parts_and_padding_are_read(tmp_path):
    values = np.random.default_rng(0).integers(0, 99, (20, 20, 20)).astype("i2")
    path = write(tmp_path / "a.nii.gz", values)
    content = gzip.decompress(path.read_bytes())
    parts = [gzip.compress(content[:100]), gzip.compress(content[100:9000]), gzip.compress(content[9000:])]
    path.write_bytes(b"".join(parts) + bytes(512))
    np.testing.assert_array_equal(read_voxels(path).values, values)
    path.write_bytes(b"".join(parts) + b"something else")
    with pytest.raises(InputError, match="damaged"):
        read_voxels(path)
    path.write_bytes(b"".join(parts)[:-4])
    with pytest.raises(InputError, match="the packed file ends too early"):
        read_voxels(path)
