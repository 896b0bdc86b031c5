"""Reading and stretching pictures and masks."""

import struct

import cv2
import numpy as np
import pytest

from medscale.errors import InputError
from medscale.scans.images import (
    read_grey,
    read_mask,
    read_sample,
    read_size,
    resize_grey,
    resize_mask,
    to_unit,
)
from tests.unit.scans.picture_files import draw_blobs, draw_mask, write_pixels


def test_grey_is_the_same_in_one_and_three_channels_and_under_a_wrong_suffix(tmp_path):
    grey = draw_blobs("one")
    write_pixels(tmp_path / "grey.png", grey)
    write_pixels(tmp_path / "colour.jpg", cv2.merge([grey] * 3), ".png")
    write_pixels(tmp_path / "opaque.png", cv2.merge([grey, grey, grey, np.full_like(grey, 255)]))
    for name in ("grey.png", "colour.jpg", "opaque.png"):
        read = read_grey(tmp_path / name)
        assert read.dtype == np.uint8
        np.testing.assert_array_equal(read, grey)
        assert read_size(tmp_path / name) == (96, 80)


def test_what_is_transparent_lies_on_black(tmp_path):
    white = np.full((2, 3), 255, np.uint8)
    opacity = np.array([[0, 51, 255]] * 2, np.uint8)
    write_pixels(tmp_path / "a.png", cv2.merge([white, white, white, opacity]))
    np.testing.assert_array_equal(read_grey(tmp_path / "a.png"), [[0, 51, 255]] * 2)


def test_colours_become_their_luma(tmp_path):
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 2] = 255
    write_pixels(tmp_path / "red.png", red)
    np.testing.assert_array_equal(read_grey(tmp_path / "red.png"), np.full((4, 4), 76))


def test_palettes_are_looked_up(tmp_path):
    image = pytest.importorskip("PIL.Image")
    indices = image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3), "P")
    indices.putpalette([value for index in range(256) for value in [255 - index] * 3])
    indices.save(tmp_path / "a.jpg", "PNG")
    np.testing.assert_array_equal(read_grey(tmp_path / "a.jpg"), [[255, 254, 253], [252, 251, 250]])


def test_a_rotation_in_exif_data_is_not_followed(tmp_path):
    grey = draw_blobs("one", 96, 80)
    write_pixels(tmp_path / "a.jpg", grey)
    upright = read_grey(tmp_path / "a.jpg")
    # One entry, the orientation (0x0112), which is a quarter turn (6).
    turn = struct.pack("<2sHIHHHIII", b"II", 42, 8, 1, 0x0112, 3, 1, 6, 0)
    exif = b"Exif\0\0" + turn
    content = (tmp_path / "a.jpg").read_bytes()
    header = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    (tmp_path / "a.jpg").write_bytes(content[:2] + header + content[2:])
    assert cv2.imread(str(tmp_path / "a.jpg")).shape == (80, 96, 3)
    assert read_size(tmp_path / "a.jpg") == (96, 80)
    np.testing.assert_array_equal(read_grey(tmp_path / "a.jpg"), upright)


def test_the_luma_of_a_jpeg_is_that_of_its_colours(tmp_path):
    colours = cv2.merge([draw_blobs(name) for name in ("blue", "green", "red")])
    write_pixels(tmp_path / "a.jpg", colours)
    blue, green, red = cv2.split(cv2.imread(str(tmp_path / "a.jpg")).astype(float))
    luma = 0.114 * blue + 0.587 * green + 0.299 * red
    away = np.abs(read_grey(tmp_path / "a.jpg") - luma)
    # Colours that the file could not hold were cut when it was decoded to them.
    assert np.median(away) < 1
    assert np.mean(away < 2) > 0.9


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_truncated_pictures_are_refused(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    write_pixels(path, draw_blobs("one"))
    path.write_bytes(path.read_bytes()[:-40])
    for read in (read_size, read_grey):
        with pytest.raises(InputError, match="found a truncated picture"):
            read(path)


def test_a_thumbnail_does_not_hide_that_a_jpeg_is_truncated(tmp_path):
    path = tmp_path / "a.jpg"
    write_pixels(path, draw_blobs("one"))
    content = path.read_bytes()
    thumbnail = b"Exif\0\0" + content
    header = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    path.write_bytes(content[:2] + header + content[2:])
    assert read_grey(path).shape == (96, 80)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match="truncated"):
        read_grey(path)


def test_what_is_no_picture_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"<html>")
    with pytest.raises(InputError, match=r"a\.png: found a file that begins with b'<html>'"):
        read_grey(tmp_path / "a.png")
    with pytest.raises(InputError, match="No such file"):
        read_size(tmp_path / "b.png")
    (tmp_path / "empty.jpg").write_bytes(b"\xff\xd8\xff\xff\xda\xff\xd9")
    with pytest.raises(InputError, match="truncated"):
        read_grey(tmp_path / "empty.jpg")


def test_damaged_pixels_and_16_bit_are_refused(tmp_path):
    write_pixels(tmp_path / "deep.png", draw_blobs("one").astype(np.uint16))
    with pytest.raises(InputError, match="found 16 bit"):
        read_grey(tmp_path / "deep.png")
    write_pixels(tmp_path / "damaged.png", draw_blobs("one"))
    content = bytearray((tmp_path / "damaged.png").read_bytes())
    # The kind of pixels, in the header: there is no kind 9.
    content[25] = 9
    (tmp_path / "damaged.png").write_bytes(content)
    with pytest.raises(InputError, match="damaged pixels"):
        read_grey(tmp_path / "damaged.png")


def test_huge_pictures_are_refused_before_they_are_decoded(tmp_path):
    write_pixels(tmp_path / "a.png", draw_blobs("one"))
    content = bytearray((tmp_path / "a.png").read_bytes())
    content[16:20] = (100_000).to_bytes(4, "big")
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(InputError, match="96 × 100000 pixels"):
        read_grey(tmp_path / "a.png")


def test_masks_are_merged(tmp_path):
    paths = [tmp_path / "one.png", tmp_path / "two.png"]
    for path, left in zip(paths, (10, 40), strict=True):
        write_pixels(path, draw_mask(left=left))
    mask = read_mask(paths, (96, 80))
    assert mask.dtype == np.uint8
    assert mask.sum() == 800
    assert mask[30:50, 40:60].all()
    assert not read_mask([], (96, 80)).any()


def test_a_mask_of_another_size_is_refused(tmp_path):
    write_pixels(tmp_path / "mask.png", draw_mask())
    with pytest.raises(InputError, match=r"mask\.png: found 96 × 80 pixels; expected 80 × 96 pixels"):
        read_mask([tmp_path / "mask.png"], (80, 96))


@pytest.mark.parametrize("shape", [(64, 64), (16, 200), (200, 16), (10, 12), (300, 200)])
def test_stretching_keeps_means_and_leaves_masks_binary(shape):
    rows, columns = shape
    ramp = np.linspace(0, 200, columns, dtype=np.float32)[None].repeat(rows, 0)
    small = resize_grey(ramp, 64)
    assert small.shape == (64, 64)
    assert abs(small.mean() - ramp.mean()) < 1
    mask = np.zeros(shape, np.uint8)
    mask[:, : columns // 2] = 1
    stretched = resize_mask(mask, 64)
    assert stretched.dtype == np.uint8
    assert set(np.unique(stretched)) == {0, 1}
    assert abs(stretched.mean() - 0.5) <= 1 / 64


def test_shrinking_averages_over_areas():
    board = (np.indices((64, 64)).sum(0) % 2 * 200).astype(np.uint8)
    np.testing.assert_array_equal(resize_grey(board, 16), np.full((16, 16), 100))


def test_grey_in_unit_range():
    unit = to_unit(np.array([[0, 51, 255]], np.uint8))
    assert unit.dtype == np.float32
    np.testing.assert_allclose(unit, [[0, 0.2, 1]])


def test_real_pictures_of_every_kind(real_data):
    brains = real_data / "brain_mri_2d"
    # A palette, opacity below full, and grey JPEG and PNG are among them.
    for path in sorted(brains.glob("no/*")):
        grey = read_grey(path)
        assert grey.shape == read_size(path)
        assert grey.ndim == 2
        assert grey.max() > 100
    folder = real_data / "busi/Dataset_BUSI_with_GT/benign"
    masks = [folder / "benign (4)_mask.png", folder / "benign (4)_mask_1.png"]
    grey, mask, shape = read_sample(folder / "benign (4).png", masks, 128)
    assert grey.shape == mask.shape == (128, 128)
    assert shape == read_size(folder / "benign (4).png") != (128, 128)
    alone = [read_sample(folder / "benign (4).png", [one], 128)[1] for one in masks]
    np.testing.assert_array_equal(mask, alone[0] | alone[1])
    assert all(0 < one.sum() < mask.sum() for one in alone)


@pytest.mark.parametrize("shape", [(64, 64), (128, 96), (57, 131), (48, 50), (96, 96)])
def test_masks_that_shrink_are_cut_at_half_of_a_pixel_exactly(shape):
    rng = np.random.default_rng(0)
    for share in (0.2, 0.5, 0.8):
        mask = (rng.random(shape) < share).astype(np.uint8)
        exact = cv2.resize(mask.astype(np.float64), (48, 48), interpolation=cv2.INTER_AREA)
        sure = np.abs(exact - 0.5) > 1e-6
        np.testing.assert_array_equal(resize_mask(mask, 48)[sure], (exact > 0.5)[sure])
    halves = np.tile(np.array([[0, 1], [1, 0]], np.uint8), (48, 48))
    assert resize_mask(halves, 48).all()
