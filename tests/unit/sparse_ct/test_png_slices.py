import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medscale.errors import InputError
from medscale.sparse_ct.png_slices import PngScale, read_png

SCALE = PngScale(-1000, 1000, 0.8)


def write_png(path, pixels):
    assert cv2.imwrite(str(path), pixels)
    return path


@pytest.mark.parametrize(("kind", "white"), [(np.uint8, 255), (np.uint16, 65535)])
def test_black_and_white_have_the_values_of_the_scale(tmp_path, kind, white):
    pixels = np.array([[0, white], [white // 5, white]], kind)
    hu, pixel_mm = read_png(write_png(tmp_path / "a.png", pixels), SCALE)
    np.testing.assert_allclose(hu, [[[-1000, 1000], [-600, 1000]]], rtol=1e-6)
    assert hu.dtype == np.float32
    assert pixel_mm == 0.8


def test_grey_that_is_kept_as_colour_is_read(tmp_path):
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8)
    expected = read_png(write_png(tmp_path / "grey.png", grey), SCALE)[0]
    opaque = np.full_like(grey, 255)
    for layers in ([grey] * 3, [grey] * 3 + [opaque]):
        path = write_png(tmp_path / "a.png", np.stack(layers, axis=-1))
        np.testing.assert_array_equal(read_png(path, SCALE)[0], expected)


def test_colours_and_transparency_are_refused(tmp_path):
    layers = np.zeros((8, 8, 4), np.uint8)
    layers[..., 3] = 255
    layers[3, 3, 0] = 1
    with pytest.raises(InputError, match="found colours"):
        read_png(write_png(tmp_path / "a.png", layers), SCALE)
    layers[3, 3] = [0, 0, 0, 254]
    with pytest.raises(InputError, match="transparent"):
        read_png(write_png(tmp_path / "a.png", layers), SCALE)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_png(tmp_path / "missing.png", SCALE)
    write_png(tmp_path / "a.jpg", np.zeros((8, 8), np.uint8)).rename(tmp_path / "a.png")
    with pytest.raises(InputError, match="another format"):
        read_png(tmp_path / "a.png", SCALE)
    with pytest.raises(InputError, match="8 rows and 9 columns"):
        read_png(write_png(tmp_path / "a.png", np.zeros((8, 9), np.uint8)), SCALE)
    with pytest.raises(InputError, match="without a scale"):
        read_png(tmp_path / "a.png", None)


def test_a_header_that_promises_too_much_costs_no_memory(tmp_path):
    content = bytearray(write_png(tmp_path / "a.png", np.zeros((8, 8), np.uint8)).read_bytes())
    content[16:24] = (2**30).to_bytes(4) * 2
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(InputError, match="1073741824 rows"):
        read_png(tmp_path / "a.png", SCALE)


@settings(max_examples=40, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_picture_cut_anywhere_is_refused(tmp_path_factory, share):
    noise = np.random.default_rng(0).integers(0, 255, (32, 32), np.uint8)
    path = write_png(tmp_path_factory.mktemp("cut") / "a.png", noise)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=r"a\.png"):
        read_png(path, SCALE)


def test_a_damaged_picture_is_refused(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (32, 32), np.uint8)
    path = write_png(tmp_path / "a.png", noise)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        read_png(path, SCALE)


@pytest.mark.parametrize("numbers", [(1000, -1000, 0.8), (0, 0, 0.8), (-1000, 1000, 0), (np.nan, 1000, 0.8)])
def test_an_impossible_scale_is_refused(numbers):
    with pytest.raises(InputError, match="hu_low below hu_high"):
        PngScale(*numbers)


def test_real_slices_are_read(real_data):
    for name in ("10036_142", "10036_253"):
        path = real_data / f"kits19_png/images/{name}.png"
        hu, _ = read_png(path, PngScale(-1000, 400, 0.78))
        grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert hu.shape == (1, 512, 512)
        np.testing.assert_allclose(hu[0], -1000 + grey * (1400 / 255), rtol=1e-5)
