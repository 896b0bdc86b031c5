import h5py
import numpy as np
import pytest

from medscale.errors import InputError
from medscale.kits19.prepared_files import (
    PreparedInfo,
    read_block,
    read_info,
    read_labels,
    read_size,
    read_slices,
    write_prepared,
)

INFO = PreparedInfo("case_00000", (5, 512, 796), (3.0, 0.8, 0.9), (-512.0, 512.0), "area")
IMAGE = np.random.default_rng(0).integers(1, 255, (5, 8, 8), np.uint8)
LABELS = np.random.default_rng(1).integers(0, 3, (5, 8, 8), np.uint8)


@pytest.fixture
def path(tmp_path):
    write_prepared(tmp_path / "a.h5", INFO, 8, zip(IMAGE, LABELS, strict=True), labelled=True)
    return tmp_path / "a.h5"


@pytest.fixture
def unlabelled(tmp_path):
    write_prepared(tmp_path / "b.h5", INFO, 8, ((image, None) for image in IMAGE), labelled=False)
    return tmp_path / "b.h5"


def test_what_was_written_is_read(path):
    assert read_info(path) == INFO
    assert read_size(path) == (5, 8)
    np.testing.assert_array_equal(read_labels(path), LABELS)


def test_slices_come_in_the_order_asked_for(path):
    image, labels = read_slices(path, [4, 0, 4, -1])
    np.testing.assert_array_equal(image, IMAGE[[4, 0, 4, 4]])
    np.testing.assert_array_equal(labels, LABELS[[4, 0, 4, 4]])
    with pytest.raises(IndexError):
        read_slices(path, [5])


def test_blocks_are_padded_with_air_at_the_end(path):
    image, labels = read_block(path, 1, 3)
    np.testing.assert_array_equal(image, IMAGE[1:4])
    np.testing.assert_array_equal(labels, LABELS[1:4])
    image, labels = read_block(path, 3, 4)
    np.testing.assert_array_equal(image[:2], IMAGE[3:])
    np.testing.assert_array_equal(labels[:2], LABELS[3:])
    assert image.shape == labels.shape == (4, 8, 8)
    assert not image[2:].any()
    assert not labels[2:].any()
    with pytest.raises(IndexError):
        read_block(path, 5, 2)


def test_a_case_without_labels(unlabelled):
    assert read_slices(unlabelled, [1])[1] is None
    assert read_block(unlabelled, 1, 9)[1] is None
    with pytest.raises(InputError, match=r"b\.h5: found a case without labels"):
        read_labels(unlabelled)


def test_a_slice_is_a_chunk_of_bytes(path):
    with h5py.File(path) as file:
        assert file["image"].chunks == file["labels"].chunks == (1, 8, 8)
        assert file["image"].dtype == file["labels"].dtype == np.uint8
        assert set(file.attrs) == {"case", "original_shape", "spacing_mm", "window_hu", "interpolation"}


def test_the_bytes_repeat(path, tmp_path):
    write_prepared(tmp_path / "again.h5", INFO, 8, zip(IMAGE, LABELS, strict=True), labelled=True)
    assert path.read_bytes() == (tmp_path / "again.h5").read_bytes()


@pytest.mark.parametrize("count", [4, 6])
def test_too_few_or_too_many_slices_leave_no_file(tmp_path, count):
    with pytest.raises(ValueError, match="zip"):
        write_prepared(tmp_path / "c.h5", INFO, 8, ((IMAGE[0], None) for _ in range(count)), labelled=False)
    assert list(tmp_path.iterdir()) == []


def test_damaged_files_are_explained(path, tmp_path):
    with pytest.raises(InputError, match="found no prepared case"):
        read_info(tmp_path / "nothing.h5")
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"a\.h5: found no prepared case.*Delete the file"):
        read_slices(path, [0])
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["projections"] = IMAGE
    with pytest.raises(InputError, match="as prepare_cases writes it"):
        read_block(tmp_path / "other.h5", 0, 1)
