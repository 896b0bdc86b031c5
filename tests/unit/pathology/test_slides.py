"""Slides are read by resolution, and whatever is no slide is refused by name."""

import cv2
import numpy as np
import pytest
import tifffile

from medscale.errors import InputError
from medscale.pathology.slides import Slide


def write_slide(path, pixels, um_px=0.5, steps=(1, 2, 4), tile=64, compression="zlib", unit="CENTIMETER"):
    with tifffile.TiffWriter(path) as file:
        for step in steps:
            size = (int(pixels.shape[1] / step), int(pixels.shape[0] / step))
            level = pixels if step == 1 else cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
            resolution = {"resolution": (1e4 / um_px / step,) * 2, "resolutionunit": unit} if um_px else {}
            file.write(
                level,
                tile=(tile, tile),
                photometric="rgb",
                compression=compression,
                subfiletype=int(step > 1),
                metadata=None,
                **resolution,
            )
    return path


@pytest.fixture(scope="module")
def pixels():
    noise = np.random.default_rng(0).integers(0, 256, (20, 24, 3), dtype=np.uint8)
    return cv2.resize(noise, (384, 320), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="module")
def path(tmp_path_factory, pixels):
    return write_slide(tmp_path_factory.mktemp("slides") / "slide.tif", pixels)


def test_states_size_and_resolutions(path):
    with Slide(path) as slide:
        assert (slide.width, slide.height, slide.um_px) == (384, 320, 0.5)
        assert slide.level_um_px == [0.5, 1.0, 2.0]


def test_rounded_level_sizes_keep_whole_steps(tmp_path):
    blank = np.full((250, 300, 3), 200, np.uint8)
    with Slide(write_slide(tmp_path / "s.tif", blank, steps=(1, 4, 8))) as slide:
        assert slide.level_um_px == [0.5, 2.0, 4.0]


@pytest.mark.parametrize(("um_px", "level"), [(0.5, 0), (0.495, 0), (0.98, 0), (0.99, 1), (1.9, 1), (50, 2)])
def test_level_is_the_coarsest_that_is_fine_enough(path, um_px, level):
    with Slide(path) as slide:
        assert slide.level_for(um_px) == level


def test_finer_than_the_slide_is_refused(path):
    with Slide(path) as slide, pytest.raises(InputError, match=r"0\.4 µm/px or finer"):
        slide.read(0, 0, 8, 8, 0.4)


def test_reads_level_0_as_it_is(path, pixels):
    with Slide(path) as slide:
        assert np.array_equal(slide.read(37, 90, 100, 50, 0.5), pixels[90:140, 37:137])


def test_outside_is_white(path, pixels):
    with Slide(path) as slide:
        region = slide.read(-10, 310, 30, 20, 0.5)
    assert (region[:, :10] == 255).all()
    assert (region[10:] == 255).all()
    assert np.array_equal(region[:10, 10:], pixels[310:, :20])


def test_averages_where_no_level_fits(path, pixels):
    """At 1.5 µm/px the pixels are means of level 1, itself a mean: near the mean of level 0."""
    with Slide(path) as slide:
        region = slide.read(48, 96, 64, 32, 1.5)
    expected = cv2.resize(pixels[96 : 96 + 96, 48 : 48 + 192], (64, 32), interpolation=cv2.INTER_AREA)
    assert region.shape == (32, 64, 3)
    assert np.abs(region.astype(int) - expected).mean() < 2


def test_steps_need_not_be_powers_of_two(tmp_path, pixels):
    pixels = np.ascontiguousarray(pixels[:300, :360])
    with Slide(write_slide(tmp_path / "s.tif", pixels, steps=(1, 2.5, 10))) as slide:
        assert slide.level_um_px == pytest.approx([0.5, 1.25, 5.0])
        region = slide.read(100, 50, 40, 40, 1.25)
    expected = cv2.resize(pixels[50:150, 100:200], (40, 40), interpolation=cv2.INTER_AREA)
    assert np.abs(region.astype(int) - expected).mean() < 2


@pytest.mark.parametrize("um_px", [0.5, 2.0, 3.3, 8.0])
def test_overview_covers_the_slide_without_drift(path, pixels, um_px):
    with Slide(path) as slide:
        overview = slide.overview(um_px)
    rows, columns = np.ceil(320 * 0.5 / um_px), np.ceil(384 * 0.5 / um_px)
    assert overview.values.shape == (rows, columns, 3)
    step = um_px / 0.5
    inner = overview.values[: int(320 // step), : int(384 // step)]
    extent = pixels[: round(inner.shape[0] * step), : round(inner.shape[1] * step)]
    expected = cv2.resize(extent, inner.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(inner.astype(int) - expected).mean() < 6


def test_blocks_tile_the_raster_once(path):
    with Slide(path) as slide:
        whole = slide.overview(1.0).values
        count = np.zeros(whole.shape[:2], int)
        for row, column, pixels in slide.blocks(1.0, block_px=50):
            count[row : row + pixels.shape[0], column : column + pixels.shape[1]] += 1
            assert np.array_equal(whole[row : row + 50, column : column + 50], pixels)
    assert (count == 1).all()


def test_no_resolution_needs_the_fallback(tmp_path, pixels, caplog):
    path = write_slide(tmp_path / "s.tif", pixels, um_px=None)
    with pytest.raises(InputError, match=r"pathology\.fallback_um_px"):
        Slide(path)
    with Slide(path, fallback_um_px=0.25) as slide:
        assert slide.um_px == 0.25
    assert "s.tif" in caplog.text
    assert "0.25" in caplog.text


def test_fallback_does_not_replace_a_stated_value(path, tmp_path, pixels):
    with Slide(path, fallback_um_px=0.25) as slide:
        assert slide.um_px == 0.5
    absurd = write_slide(tmp_path / "s.tif", pixels, um_px=352.8)
    with pytest.raises(InputError, match=r"352\.8"):
        Slide(absurd, fallback_um_px=0.25)


def test_oblong_pixels_are_refused(tmp_path, pixels):
    path = tmp_path / "s.tif"
    tifffile.imwrite(
        path, pixels, tile=(64, 64), photometric="rgb", resolution=(20000, 10000), resolutionunit="CENTIMETER"
    )
    with pytest.raises(InputError, match="square"):
        Slide(path)


def test_missing_empty_folder_and_text_are_named(tmp_path):
    (tmp_path / "empty.tif").touch()
    (tmp_path / "text.tif").write_text("no slide")
    for name, reason in {
        "missing.tif": "no such file",
        "empty.tif": "an empty file",
        ".": "a folder",
        "text.tif": "no slide format",
    }.items():
        with pytest.raises(InputError, match=reason):
            Slide(tmp_path / name)


@pytest.mark.parametrize("share", [0.001, 0.3, 0.9, 0.999])
def test_truncated_slides_are_refused(path, tmp_path, share):
    whole = path.read_bytes()
    (tmp_path / "s.tif").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InputError, match="truncated"):
        Slide(tmp_path / "s.tif")


def test_untiled_and_masks_are_refused(tmp_path, pixels):
    tifffile.imwrite(tmp_path / "untiled.tif", pixels)
    tifffile.imwrite(tmp_path / "mask.tif", pixels[..., 0], tile=(64, 64))
    with pytest.raises(InputError, match="untiled"):
        Slide(tmp_path / "untiled.tif")
    with pytest.raises(InputError, match=r"a mask.*`annotation`"):
        Slide(tmp_path / "mask.tif")


def test_damaged_tile_names_the_region_and_ends_the_reader(tmp_path, pixels):
    path = write_slide(tmp_path / "s.tif", pixels, compression="jpeg")
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        offset, count = page.dataoffsets[-1], page.databytecounts[-1]
    content = bytearray(path.read_bytes())
    content[offset : offset + count] = b"\0" * count
    path.write_bytes(content)
    with Slide(path) as slide:
        slide.read(0, 0, 64, 64, 0.5)
        with pytest.raises(InputError, match=r"s\.tif.*x=320, y=256, level 0"):
            slide.read(320, 256, 64, 64, 0.5)
        with pytest.raises(InputError, match="failed reader"):
            slide.read(0, 0, 64, 64, 0.5)


OPENED = {"CMU-1-Small-Region.svs": 0.499, "boxes_0.dcm": 0.499, "boxes_1.dcm": 0.499, "small.svs": 0.499}
REFUSED = {
    "boxes.tiff": r"352\.8",
    "yb10kx5k.zstd.tiff": r"352\.9",
    "broken.svs": "no slide format",
    "unreadable.svs": "unreadable region",
    "unopenable.tiff": "compression",
    "kidney-48-5.tif": "untiled",
    "test-mask.tif": "a mask",
}


def test_real_slides_are_opened_or_refused(real_data):
    for path in sorted((real_data / "wsi").iterdir()):
        if path.name in REFUSED:
            with pytest.raises(InputError, match=REFUSED[path.name]):
                Slide(path, fallback_um_px=0.25)
        else:
            with Slide(path) as slide:
                assert slide.um_px == pytest.approx(OPENED.get(path.name, 0.499))
                assert slide.read(0, 0, 16, 16, slide.um_px).std() > 0


def test_real_damaged_tiffs_are_refused_in_silence(real_data, caplog):
    for path in (real_data / "corrupt").iterdir():
        with pytest.raises(InputError, match="damaged"):
            Slide(path)
    assert not caplog.records
