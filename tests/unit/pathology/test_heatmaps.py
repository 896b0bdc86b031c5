import numpy as np
import pytest

from medscale.errors import InputError
from medscale.files.rasters import Raster, read_raster, write_raster
from medscale.pathology.heatmaps import HeatmapGrid, SlideToMap, draw_overlay, map_probabilities, map_slides
from medscale.pathology.slides import Slide
from medscale.phantoms.slide_files import write_pyramid

UM_PX = 2.0
GRID = HeatmapGrid(stride_um=48.0, size_px=64, um_px=UM_PX, min_tissue_fraction=0.25)


def mean_darkness(patches):
    return 1 - patches.mean(axis=(1, 2, 3), dtype=np.float64).astype(np.float32) / 255


def centre_darkness(patches):
    return 1 - patches[:, 32, 32].mean(axis=1).astype(np.float32) / 255


@pytest.fixture(scope="module")
def pixels():
    colour = np.full((1400, 1800, 3), 250, np.uint8)
    colour[500:700, 900:1300] = 20
    return colour


@pytest.fixture(scope="module")
def path(tmp_path_factory, pixels):
    path = tmp_path_factory.mktemp("slides") / "slide.tif"
    write_pyramid(pixels, path, UM_PX, 95)
    return path


def _tissue(pixels, value=1):
    return Raster(np.full((350, 450), value, np.uint8), 8.0)


def _map(path, tissue, predict, target, grid=GRID):
    with Slide(path) as slide:
        map_probabilities(slide, tissue, predict, grid, target)
    return read_raster(target)


def test_each_cell_holds_the_patch_centred_on_it(path, pixels, tmp_path):
    heatmap = _map(path, _tissue(pixels), centre_darkness, tmp_path / "map.tif")
    assert heatmap.um_px == 48.0
    assert heatmap.values.shape == (59, 75)
    centres = (np.arange(75) + 0.5) * 24
    dark = heatmap.values > 0.5
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    inside = (centres >= 900) & (centres < 1300)
    np.testing.assert_array_equal(columns, np.flatnonzero(inside))
    np.testing.assert_array_equal(rows, np.flatnonzero((centres[:59] >= 500) & (centres[:59] < 700)))


def test_the_block_reader_equals_single_reads_everywhere(path, pixels, tmp_path):
    heatmap = _map(path, _tissue(pixels), mean_darkness, tmp_path / "map.tif")
    with Slide(path) as slide:
        for row, column in [(0, 0), (0, 74), (58, 0), (58, 74), (20, 37), (24, 45), (29, 55)]:
            x, y = round((column + 0.5) * 24 - 32), round((row + 0.5) * 24 - 32)
            patch = slide.read(x, y, 64, 64, UM_PX)
            assert heatmap.values[row, column] == mean_darkness(patch[None])[0], (row, column)


def test_cells_off_tissue_are_nan_and_all_others_are_not(path, pixels, tmp_path):
    tissue = _tissue(pixels, 0)
    tissue.values[60:120, 120:300] = 1  # cells 10 to 19 and 20 to 49
    heatmap = _map(path, tissue, mean_darkness, tmp_path / "map.tif")
    known = ~np.isnan(heatmap.values)
    expected = np.zeros_like(known)
    expected[10:20, 20:50] = True
    np.testing.assert_array_equal(known, expected)


def test_a_prediction_of_zero_stays_zero(path, pixels, tmp_path):
    heatmap = _map(
        path, _tissue(pixels), lambda patches: np.zeros(len(patches), np.float32), tmp_path / "m.tif"
    )
    assert (heatmap.values == 0).all()


def test_maps_larger_than_a_tile_have_no_seams(path, pixels, tmp_path):
    fine = HeatmapGrid(stride_um=8.0, size_px=16, um_px=UM_PX, min_tissue_fraction=0.25)
    heatmap = _map(path, _tissue(pixels), mean_darkness, tmp_path / "map.tif", fine)
    assert heatmap.values.shape == (350, 450)
    with Slide(path) as slide:
        for row, column in [(255, 255), (256, 256), (255, 300), (256, 10), (349, 449)]:
            patch = slide.read(round((column + 0.5) * 4 - 8), round((row + 0.5) * 4 - 8), 16, 16, UM_PX)
            assert heatmap.values[row, column] == mean_darkness(patch[None])[0], (row, column)


def test_the_overlay_shows_the_map_on_tissue_only(path, pixels):
    values = np.full((59, 75), np.nan, np.float32)
    values[:, :30] = 1.0
    with Slide(path) as slide:
        picture = draw_overlay(slide, Raster(values, 48.0))
        plain = slide.overview(24.0).values
    assert picture.shape == plain.shape
    np.testing.assert_array_equal(picture[:, 61:], plain[:, 61:])
    red, _, blue = picture[:50, :50].reshape(-1, 3).mean(axis=0)
    assert red > blue + 30


def test_one_unreadable_slide_does_not_cost_the_others(path, pixels, tmp_path):
    import torch

    from medscale.networks.registry import build_network
    from medscale.training.models import ModelCard

    broken = tmp_path / "broken.tif"
    broken.write_bytes(path.read_bytes()[:5000])
    write_raster(_tissue(pixels), tmp_path / "tissue.tif")
    names, files = ["broken", "good"], [broken, path]
    maps, overlays = ([tmp_path / f"{name}.{end}" for name in names] for end in ("map.tif", "jpg"))
    slides = SlideToMap.pair(names, files, [tmp_path / "tissue.tif"] * 2, maps, overlays)
    network = build_network("resnet10", 0, width=4, outputs=1).eval()
    card = ModelCard({"name": "resnet10"}, {"size_px": 64, "um_px": UM_PX}, {}, [])
    torch.set_num_threads(1)
    with pytest.raises(InputError, match=r"broken\.tif"):
        map_slides(
            slides,
            network,
            card,
            stride_um=96.0,
            min_tissue_fraction=0.25,
            fallback_um_px=None,
            finished=tmp_path / "kept",
        )
    assert maps[1].exists()
    assert overlays[1].exists()
    assert not maps[0].exists()
