"""Patches: where they lie, how they are labelled, and that batches hold the same pixels as single reads."""

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from medscale.errors import InputError
from medscale.files.rasters import Raster
from medscale.pathology.patches import GRID_DTYPES, GridSettings, grid_patches, read_patches
from medscale.pathology.slides import Slide

WIDTH, HEIGHT = 1300, 1000
SETTINGS = {
    "size_px": 32,
    "um_px": 1.0,
    "stride_px": 32,
    "min_tissue_fraction": 0.5,
    "min_tumour_fraction": 0.75,
}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("slides") / "slide.tif"
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    with tifffile.TiffWriter(path) as file:
        for step in (1, 2, 5):
            level = cv2.resize(noise, (WIDTH // step, HEIGHT // step), interpolation=cv2.INTER_AREA)
            resolution = {"resolution": (20000 / step,) * 2, "resolutionunit": "CENTIMETER"}
            file.write(
                level,
                tile=(128, 128),
                photometric="rgb",
                metadata=None,
                subfiletype=int(step > 1),
                **resolution,
            )
    return path


@pytest.fixture
def slide(path):
    with Slide(path) as slide:
        yield slide


def full(slide, um_px=4.0):
    return Raster(np.ones(slide.raster_shape(um_px), np.uint8), um_px)


def empty(slide, um_px=4.0):
    return Raster(np.zeros(slide.raster_shape(um_px), np.uint8), um_px)


@pytest.fixture
def tumour(slide):
    mask = empty(slide)
    cv2.circle(mask.values, (60, 60), 35, 1, -1)
    return mask


def test_negative_slide_is_covered_with_normal_patches(slide):
    grid = grid_patches("a", slide, full(slide), None, label="negative", settings=GridSettings(**SETTINGS))
    assert grid.dtypes.astype(str).to_dict() == GRID_DTYPES
    assert len(grid) == (WIDTH // 64) * (HEIGHT // 64)
    assert (grid["label"] == 0).all()
    assert (grid["tissue_fraction"] == 1).all()
    assert set(grid["x"]) == set(range(0, WIDTH - 63, 64))
    assert grid[["y", "x"]].apply(tuple, axis=1).is_monotonic_increasing
    assert grid.iloc[0][["slide", "level", "size_px", "mpp"]].to_list() == ["a", 1, 32, 1.0]


@pytest.mark.parametrize("label", ["itc", "micro", "macro", ""])
def test_tumour_or_unknown_slides_without_annotation_give_nothing(slide, label):
    grid = grid_patches("a", slide, full(slide), None, label=label, settings=GridSettings(**SETTINGS))
    assert len(grid) == 0
    assert grid.dtypes.astype(str).to_dict() == GRID_DTYPES


@pytest.mark.parametrize("label", ["itc", ""])
def test_annotation_that_is_not_exhaustive_gives_nothing(slide, tumour, label):
    assert (
        len(grid_patches("a", slide, full(slide), tumour, label=label, settings=GridSettings(**SETTINGS)))
        == 0
    )


@pytest.mark.parametrize("label", ["micro", "macro"])
def test_labels_follow_share_and_distance(slide, tumour, label):
    grid = grid_patches("a", slide, full(slide), tumour, label=label, settings=GridSettings(**SETTINGS))
    assert set(grid["label"]) == {0, 1}
    tumours, normals = grid[grid["label"] == 1], grid[grid["label"] == 0]
    assert tumours["tumour_fraction"].min() >= 0.75
    assert normals["tumour_fraction"].max() == 0
    pixels = np.argwhere(tumour.values)[:, ::-1] * 4.0
    for x, y in normals[["x", "y"]].to_numpy() * 0.5:
        gap = np.maximum(0, np.maximum((x, y) - (pixels + 4), pixels - (x + 32, y + 32)))
        assert np.hypot(*gap.T).min() > 100


def test_all_normals_beyond_the_margin_are_kept(slide, tumour):
    near = grid_patches(
        "a",
        slide,
        full(slide),
        tumour,
        label="macro",
        settings=GridSettings(normal_margin_um=0.0, **SETTINGS),
    )
    far = grid_patches(
        "a",
        slide,
        full(slide),
        tumour,
        label="macro",
        settings=GridSettings(normal_margin_um=100.0, **SETTINGS),
    )
    none = grid_patches(
        "a",
        slide,
        full(slide),
        tumour,
        label="macro",
        settings=GridSettings(normal_margin_um=1e6, **SETTINGS),
    )
    counts = [(grid["label"] == 0).sum() for grid in (near, far, none)]
    assert counts[0] > counts[1] > counts[2] == 0
    assert len({(grid["label"] == 1).sum() for grid in (near, far, none)}) == 1


def test_patches_need_tissue(slide):
    tissue = empty(slide)
    tissue.values[:, :80] = 1
    grid = grid_patches("a", slide, tissue, None, label="negative", settings=GridSettings(**SETTINGS))
    assert set(grid["x"]) == set(range(0, 640, 64))


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.sampled_from([1.0, 1.3, 2.0, 3.7]), st.integers(5, 40), st.integers(5, 40)
)
def test_fractions_are_exact_areas(path, seed, um_px, size_px, stride_px):
    """Mask pixels of 4 µm are cut by patches anywhere; the share is the area, not a count of pixels."""
    with Slide(path) as slide:
        values = np.random.default_rng(seed).integers(0, 2, slide.raster_shape(4.0)).astype(np.uint8)
        chosen = GridSettings(size_px, um_px, stride_px, min_tissue_fraction=0.0, min_tumour_fraction=0.5)
        grid = grid_patches("a", slide, Raster(values, 4.0), None, label="negative", settings=chosen)
    row = grid.iloc[seed % len(grid)]
    edge = size_px * um_px
    share = []
    for start, count in ((row["y"] * 0.5, values.shape[0]), (row["x"] * 0.5, values.shape[1])):
        pixel = np.arange(count) * 4.0
        share.append(np.clip(np.minimum(start + edge, pixel + 4) - np.maximum(start, pixel), 0, None))
    assert row["tissue_fraction"] == pytest.approx(share[0] @ values @ share[1] / edge**2, abs=1e-5)
    assert (grid["x"] + edge / 0.5 <= WIDTH + 1).all()
    assert (grid["y"] + edge / 0.5 <= HEIGHT + 1).all()


def test_contradictions_are_refused(slide, tumour):
    with pytest.raises(InputError, match=r"'tumor'.*negative, itc, micro, macro"):
        grid_patches("a", slide, full(slide), None, label="tumor", settings=GridSettings(**SETTINGS))
    with pytest.raises(InputError, match=r"a: found a tumour annotation.*negative"):
        grid_patches("a", slide, full(slide), tumour, label="negative", settings=GridSettings(**SETTINGS))
    with pytest.raises(InputError, match="another version"):
        grid_patches(
            "a",
            slide,
            Raster(np.ones((9, 9), np.uint8), 4.0),
            None,
            label="negative",
            settings=GridSettings(**SETTINGS),
        )


def test_a_slide_smaller_than_a_patch_is_refused(slide):
    with pytest.raises(InputError, match=r"1000 level-0 px.*1024 level-0 px"):
        grid_patches(
            "a",
            slide,
            full(slide),
            None,
            label="negative",
            settings=GridSettings(**(SETTINGS | {"size_px": 512})),
        )


def test_a_patch_may_fill_the_slide_from_top_to_bottom(slide):
    grid = grid_patches(
        "a",
        slide,
        full(slide),
        None,
        label="negative",
        settings=GridSettings(**(SETTINGS | {"size_px": 500})),
    )
    assert grid["y"].to_list() == [0] * 5
    assert grid["x"].to_list() == [0, 64, 128, 192, 256]


def test_annotation_off_tissue_is_told(slide, tumour, caplog):
    tissue = empty(slide)
    tissue.values[:, 200:] = 1
    grid_patches("slide_7", slide, tissue, tumour, label="macro", settings=GridSettings(**SETTINGS))
    assert "slide_7" in caplog.text


@pytest.mark.parametrize("um_px", [0.5, 1.0, 1.3, 1.5, 2.0, 2.5, 4.0])
@pytest.mark.parametrize("step", [3, 16, 64])
def test_batches_equal_single_reads(slide, um_px, step):
    """Overlapping, touching and scattered patches, in any order and beyond the edge."""
    random = np.random.default_rng(0)
    x, y = random.integers(-2, 70 if step < 64 else 20, (2, 40)) * step
    batch = read_patches(slide, x, y, 32, um_px)
    assert batch.shape == (40, 32, 32, 3)
    for patch, left, top in zip(batch, x, y, strict=True):
        assert np.array_equal(patch, slide.read(left, top, 32, 32, um_px))


def test_overlapping_patches_share_a_read(slide, monkeypatch):
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(0, 256, 16), np.arange(0, 256, 16)))
    reads = []
    read = slide.read
    monkeypatch.setattr(slide, "read", lambda *region: reads.append(region) or read(*region))
    read_patches(slide, x, y, 32, 1.0)
    assert len(reads) == 1


def test_no_patches_are_no_pixels(slide):
    assert read_patches(slide, np.array([]), np.array([]), 32, 1.0).shape == (0, 32, 32, 3)
