"""Tissue masks of drawn slides: what is tissue, what is not, and what is not plausible."""

import cv2
import numpy as np
import pytest
import tifffile

from medscale.errors import InputError
from medscale.files.rasters import Raster
from medscale.pathology.slides import Slide
from medscale.pathology.tissue import mask_tissue, outline_tissue

EDGE = 512
PINK, FAINT, BLANK = (200, 120, 170), (235, 215, 230), (243, 243, 243)
SETTINGS = {"um_px": 8.0, "min_speck_um": 100.0, "min_hole_um": 100.0}


@pytest.fixture
def draw(tmp_path):
    """Write pixels at 4 µm/px, with noise, as a slide of 2 × 2 mm."""

    def write(pixels, noise=2):
        random = np.random.default_rng(0)
        noisy = np.clip(pixels + random.normal(0, noise, pixels.shape), 0, 255).astype(np.uint8)
        path = tmp_path / "slide.tif"
        resolution = {"resolution": (2500, 2500), "resolutionunit": "CENTIMETER"}
        tifffile.imwrite(path, noisy, tile=(128, 128), photometric="rgb", metadata=None, **resolution)
        return Slide(path)

    return write


def blank():
    return np.full((EDGE, EDGE, 3), BLANK, np.uint8)


def disc(centre=(256, 256), radius=120):
    return cv2.circle(np.zeros((EDGE, EDGE), np.uint8), centre, radius, 1, -1).astype(bool)


def overlap(mask, truth):
    small = cv2.resize(truth.astype(np.uint8), mask.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    return (small & (mask > 0)).sum() / (small | (mask > 0)).sum()


@pytest.mark.parametrize("method", ["otsu_saturation", "fixed_grey"])
def test_finds_tissue(draw, method):
    pixels = blank()
    pixels[disc()] = PINK
    with draw(pixels) as slide:
        mask = mask_tissue(slide, method=method, **SETTINGS)
        assert mask.values.shape == slide.raster_shape(8.0)
    assert mask.values.dtype == np.uint8
    assert set(np.unique(mask.values)) == {0, 1}
    assert overlap(mask.values, disc()) > 0.97


def test_finds_faint_tissue(draw):
    pixels = blank()
    pixels[disc()] = FAINT
    with draw(pixels) as slide:
        assert overlap(mask_tissue(slide, **SETTINGS).values, disc()) > 0.95


@pytest.mark.parametrize("noise", [0, 2, 5])
def test_an_empty_slide_is_refused(draw, noise):
    with draw(blank(), noise) as slide, pytest.raises(InputError, match=r"slide\.tif.*0\.00%.*fixed_grey"):
        mask_tissue(slide, **SETTINGS)


def test_an_implausible_share_is_refused(draw):
    pixels = blank()
    pixels[disc(radius=240)] = PINK
    with draw(pixels) as slide, pytest.raises(InputError, match="leave the slide out"):
        mask_tissue(slide, max_share=0.5, **SETTINGS)


@pytest.mark.parametrize("method", ["otsu_saturation", "fixed_grey"])
def test_noisy_black_padding_is_no_tissue(draw, method):
    pixels = blank()
    pixels[disc()] = PINK
    pixels[:, :100] = (4, 5, 4)
    with draw(pixels, noise=5) as slide:
        assert overlap(mask_tissue(slide, method=method, **SETTINGS).values, disc()) > 0.95


@pytest.mark.parametrize("ink", [(20, 140, 60), (20, 60, 180), (0, 150, 160), (25, 25, 28)])
@pytest.mark.parametrize("method", ["otsu_saturation", "fixed_grey"])
def test_ink_is_no_tissue(draw, ink, method):
    pixels = blank()
    pixels[disc()] = PINK
    cv2.line(pixels, (30, 30), (480, 40), ink, 12)
    with draw(pixels) as slide:
        without = mask_tissue(slide, method=method, **SETTINGS)
    assert overlap(without.values, disc()) > 0.95


def test_ink_stays_if_asked(draw):
    pixels = blank()
    pixels[disc()] = PINK
    cv2.line(pixels, (30, 30), (480, 40), (20, 140, 60), 12)
    with draw(pixels) as slide:
        assert mask_tissue(slide, exclude_ink=False, **SETTINGS).values[:24].any()


def test_specks_and_holes_go_by_their_size_in_um(draw):
    pixels = blank()
    pixels[disc()] = PINK
    for centre, radius, colour in (
        ((60, 60), 8, PINK),
        ((60, 400), 20, PINK),
        ((220, 256), 8, BLANK),
        ((300, 256), 20, BLANK),
    ):
        cv2.circle(pixels, centre, radius, colour, -1)
    with draw(pixels) as slide:
        mask = mask_tissue(slide, **SETTINGS).values
    at = {
        name: mask[y // 2, x // 2]
        for name, (x, y) in dict(a=(60, 60), b=(60, 400), c=(220, 256), d=(300, 256)).items()
    }
    assert at == {"a": 0, "b": 1, "c": 1, "d": 0}


def test_unknown_method_is_refused(draw):
    with draw(blank()) as slide, pytest.raises(InputError, match="otsu_saturation, fixed_grey"):
        mask_tissue(slide, um_px=8.0, method="magic")


def test_picture_is_small_and_outlined():
    overview = Raster(np.full((1500, 3000, 3), 255, np.uint8), 4.0)
    tissue = Raster(np.zeros((750, 1500), np.uint8), 8.0)
    tumour = Raster(np.zeros((750, 1500), np.uint8), 8.0)
    tissue.values[200:600, 300:900], tumour.values[300:400, 500:600] = 1, 1
    picture = outline_tissue(overview, tissue, tumour)
    assert picture.shape == (512, 1024, 3)
    assert (picture[135:140, 400] != 255).any()
    assert (picture[10, 10] == 255).all()
    plain = outline_tissue(overview, tissue)
    assert (picture != plain).any()


def test_real_slides_have_plausible_tissue(real_data):
    for path in sorted((real_data / "camelyon_mosaic/images").glob("*.tif"))[:3]:
        with Slide(path) as slide:
            assert 0.4 < mask_tissue(slide, um_px=8.0).values.mean() < 0.8
    with Slide(real_data / "wsi/CMU-1-Small-Region.svs") as slide:
        assert 0.2 < mask_tissue(slide, um_px=8.0).values.mean() < 0.6


def test_tissue_that_haematoxylin_dyes_blue_is_no_ink(draw):
    pixels = blank()
    pixels[disc()] = (95, 100, 160)
    with draw(pixels) as slide:
        assert overlap(mask_tissue(slide, **SETTINGS).values, disc()) > 0.97
