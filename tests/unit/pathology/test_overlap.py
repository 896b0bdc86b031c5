import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medscale.errors import InputError
from medscale.files.rasters import Raster
from medscale.pathology.overlap import jaccard, jaccard_best_threshold, jaccard_floor, resample_mask

NAN = np.nan


def test_jaccard_counts_tissue_cells_alone():
    heatmap = Raster(np.array([[0.9, 0.9, 0.1, NAN], [0.1, 0.9, 0.1, 0.1]], np.float32), 8.0)
    tumour = Raster(np.array([[1, 1, 1, 1], [0, 0, 0, 0]], np.uint8), 8.0)
    assert jaccard(heatmap, tumour, 0.5) == pytest.approx(2 / 4)
    assert jaccard(heatmap, tumour, 0.95) == 0
    assert jaccard_floor(heatmap, tumour) == pytest.approx(3 / 7)
    assert jaccard(heatmap, tumour, 0.0) == jaccard_floor(heatmap, tumour)


def test_a_cell_is_tumour_from_half_its_area():
    tumour = np.zeros((4, 8), np.uint8)
    tumour[:2, :4] = 1
    tumour[0, 4:8] = 1
    heatmap = Raster(np.array([[0.9, 0.9]], np.float32), 32.0)
    assert jaccard(heatmap, Raster(tumour, 8.0), 0.5) == pytest.approx(1 / 2)


def test_masks_of_0_and_255_count_like_those_of_0_and_1():
    heatmap = Raster(np.array([[0.9, 0.1]], np.float32), 8.0)
    assert jaccard(heatmap, Raster(np.array([[255, 0]], np.uint8), 8.0), 0.5) == 1


def test_no_tumour_cell_gives_no_index(caplog):
    heatmap = Raster(np.array([[0.9, 0.1, NAN]], np.float32), 8.0)
    tumour = Raster(np.array([[0, 0, 1]], np.uint8), 8.0)
    assert jaccard(heatmap, tumour, 0.5) is None
    assert jaccard_floor(heatmap, tumour) is None
    assert jaccard_best_threshold(heatmap, tumour) == (None, None)
    assert "half tumour" in caplog.text


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_no_threshold_beats_the_best_one(seed):
    rng = np.random.default_rng(seed)
    heatmap = Raster(np.round(rng.random((5, 6)), 1).astype(np.float32), 8.0)
    tumour = Raster((rng.random((5, 6)) < 0.4).astype(np.uint8), 8.0)
    best, threshold = jaccard_best_threshold(heatmap, tumour)
    if best is None:
        assert not tumour.values.any()
        return
    assert jaccard(heatmap, tumour, threshold) == pytest.approx(best)
    others = {value: jaccard(heatmap, tumour, value) for value in np.unique(heatmap.values)}
    assert best == pytest.approx(max(others.values()))
    assert all(others[value] < best for value in others if value > threshold)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), factor=st.integers(1, 5))
def test_shares_of_whole_cells_are_block_means(seed, factor):
    mask = (np.random.default_rng(seed).random((4 * factor, 3 * factor)) < 0.5).astype(np.uint8)
    shares = resample_mask(Raster(mask, 8.0), (4, 3), 8.0 * factor)
    blocks = mask.reshape(4, factor, 3, factor).mean(axis=(1, 3))
    assert shares == pytest.approx(blocks)


def test_a_cell_edge_may_cut_a_pixel():
    shares = resample_mask(Raster(np.array([[0, 1, 0]], np.uint8), 10.0), (1, 2), 15.0)
    assert shares[0] == pytest.approx([1 / 3, 1 / 3])


def test_a_cell_partly_off_the_mask_is_judged_by_what_it_covers():
    shares = resample_mask(Raster(np.array([[0, 0, 1]], np.uint8), 10.0), (1, 3), 20.0)
    assert shares[0] == pytest.approx([0, 1, 0])


def test_grids_of_different_extent_are_refused():
    heatmap = Raster(np.zeros((10, 10), np.float32), 32.0)
    with pytest.raises(InputError, match="extent"):
        jaccard(heatmap, Raster(np.ones((10, 10), np.uint8), 8.0), 0.5)
