import h5py
import numpy as np
import pytest

from medscale.errors import InputError
from medscale.scans.images import read_grey, resize_grey
from medscale.scans.prepared_images import WAITING, prepare_images, read_prepared_images
from tests.unit.scans.picture_files import draw_blobs, draw_mask, write_pixels

SIZE = 24


@pytest.fixture
def folder(tmp_path):
    """Three pictures of other shapes: without a mask, with one, and with two."""
    for number, (rows, columns) in enumerate([(96, 80), (64, 100), (96, 80)]):
        write_pixels(tmp_path / f"{number}.png", draw_blobs(str(number), rows, columns))
    write_pixels(tmp_path / "1_mask.png", draw_mask(64, 100))
    write_pixels(tmp_path / "2_mask.png", draw_mask())
    write_pixels(tmp_path / "2_mask_1.png", draw_mask(left=50))
    return tmp_path


def _prepare(folder, output="all.h5", workers=2):
    names = ["zero", "one", "two"]
    paths = [folder / f"{number}.png" for number in range(3)]
    masks = [[], [folder / "1_mask.png"], [folder / "2_mask.png", folder / "2_mask_1.png"]]
    prepare_images(names, paths, masks, SIZE, folder / output, workers)
    return folder / output


def test_pictures_masks_names_and_sizes_are_kept(folder):
    images = read_prepared_images(_prepare(folder))
    assert images.names == ("zero", "one", "two")
    assert images.size_px == SIZE
    assert images.images.dtype == images.masks.dtype == np.uint8
    np.testing.assert_array_equal(images.shapes, [[96, 80], [64, 100], [96, 80]])
    for number in range(3):
        grey = read_grey(folder / f"{number}.png")
        np.testing.assert_array_equal(images.images[number], resize_grey(grey, SIZE))
    # Rows 30 to 50 of 96 become 7.5 to 12.5, of which half a pixel counts; columns 10 to 30 of 80 become
    # 3 to 9, and columns 50 to 70 become 15 to 21.
    both = np.zeros((SIZE, SIZE), np.uint8)
    both[7:13, 3:9] = both[7:13, 15:21] = 1
    np.testing.assert_array_equal(images.masks[2], both)
    assert [bool(mask.any()) for mask in images.masks] == [False, True, True]
    assert set(np.unique(images.masks)) == {0, 1}


def test_pictures_are_picked_by_name_in_any_order(folder):
    images = read_prepared_images(_prepare(folder))
    picked, masks = images.pick(["two", "zero", "two"])
    np.testing.assert_array_equal(picked, images.images[[2, 0, 2]])
    np.testing.assert_array_equal(masks, images.masks[[2, 0, 2]])
    assert images.pick([])[0].shape == (0, SIZE, SIZE)
    with pytest.raises(InputError, match="image three: found no prepared image"):
        images.pick(["two", "three"])


def test_the_bytes_depend_neither_on_the_run_nor_on_the_number_of_threads(folder):
    first = _prepare(folder).read_bytes()
    assert _prepare(folder, "again.h5").read_bytes() == first
    assert _prepare(folder, "alone.h5", workers=1).read_bytes() == first


def test_each_file_is_read_once(folder, monkeypatch):
    read = []
    original = type(folder).read_bytes
    monkeypatch.setattr(type(folder), "read_bytes", lambda path: read.append(path.name) or original(path))
    _prepare(folder)
    assert sorted(read) == ["0.png", "1.png", "1_mask.png", "2.png", "2_mask.png", "2_mask_1.png"]


def test_more_pictures_than_wait_at_once_keep_their_order(folder):
    count = WAITING + 3
    names = [f"n{number}" for number in range(count)]
    paths = [folder / f"{number % 3}.png" for number in range(count)]
    prepare_images(names, paths, [[]] * count, SIZE, folder / "many.h5")
    images = read_prepared_images(folder / "many.h5")
    assert images.names == tuple(names)
    for number in range(count):
        np.testing.assert_array_equal(images.images[number], images.images[number % 3])


def test_the_first_picture_that_cannot_be_used_is_named_and_leaves_no_file(folder):
    (folder / "1.png").write_bytes(b"no picture")
    write_pixels(folder / "2_mask.png", draw_mask(8, 8))
    with pytest.raises(InputError, match=r"1\.png: found a file that begins with b'no pictu"):
        _prepare(folder)
    write_pixels(folder / "1.png", draw_blobs("1", 64, 100))
    with pytest.raises(InputError, match=r"2_mask\.png: found 8 × 8 pixels; expected 96 × 80"):
        _prepare(folder)
    assert not list(folder.glob("*.h5"))


def test_files_of_something_else_are_explained(folder):
    with pytest.raises(InputError, match="found no prepared images"):
        read_prepared_images(folder / "nothing.h5")
    with h5py.File(folder / "other.h5", "w") as file:
        file["images"] = np.zeros((1, 8, 8))
    with pytest.raises(InputError, match="as prepare_images writes it"):
        read_prepared_images(folder / "other.h5")
