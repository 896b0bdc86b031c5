"""The Jaccard index of a heatmap with the annotated tumour."""

import logging

import numpy as np

from medscale.errors import InputError
from medscale.files.rasters import Raster

log = logging.getLogger(__name__)

# Sums over pixels cut by a cell edge are exact only to rounding.
TUMOUR_SHARE = 0.5 - 1e-9


def jaccard(heatmap: Raster, tumour: Raster, threshold: float) -> float | None:
    """Return the Jaccard index of the cells at or above `threshold` with the tumour's cells.

    A heatmap cell is tumour when at least half of it is annotated. Only tissue cells count.

    Parameters
    ----------
    heatmap : Raster
        float, probabilities, NaN off tissue.
    tumour : Raster
        0 and not 0, on any grid with the same origin.
    threshold : float

    Returns
    -------
    float or None
        In [0, 1]; None when no tissue cell is tumour, as with a lesion smaller than half a cell: no
        threshold could then score above 0.

    Raises
    ------
    InputError
        If the two rasters differ in extent by more than a cell of each.
    """
    scores, truth = _pair_cells(heatmap, tumour)
    if not truth.any():
        return None
    called = scores >= np.float32(threshold)
    return float((called & truth).sum() / (called | truth).sum())


def jaccard_best_threshold(heatmap: Raster, tumour: Raster) -> tuple[float | None, float | None]:
    """Return the highest Jaccard index that any threshold reaches, and the highest such threshold.

    The threshold is chosen on the slide it is measured on: an upper bound, not a performance.
    """
    scores, truth = _pair_cells(heatmap, tumour)
    if not truth.any():
        return None, None
    order = np.argsort(-scores, kind="stable")
    scores, hits = scores[order], np.cumsum(truth[order])
    indices = hits / (np.arange(1, len(scores) + 1) + truth.sum() - hits)
    last_of_score = np.append(scores[1:] != scores[:-1], True)
    best = np.flatnonzero(last_of_score)[indices[last_of_score].argmax()]
    return float(indices[best]), float(scores[best])


def jaccard_floor(heatmap: Raster, tumour: Raster) -> float | None:
    """Return the Jaccard index of calling all tissue tumour: tumour's share of the tissue cells."""
    _, truth = _pair_cells(heatmap, tumour)
    return float(truth.mean()) if truth.any() else None


def resample_mask(mask: Raster, shape: tuple[int, int], um_px: float) -> np.ndarray:
    """Return the share of each cell of another grid that is set in `mask`.

    Parameters
    ----------
    mask : Raster
        0 and not 0.
    shape : (rows, columns)
    um_px : float
        Edge of the other grid's cells, on the same origin.

    Returns
    -------
    ndarray, float64, shape `shape`
        In [0, 1], of the part of the cell that the mask covers; 0 for a cell that it does not cover.
    """
    ratio = um_px / mask.um_px
    sums = (mask.values != 0).astype(np.float64)
    covered = []
    for axis, cells in enumerate(shape):
        edges = np.minimum(np.arange(cells + 1) * ratio, sums.shape[axis])
        sums = _sum_between(sums, edges, axis)
        covered.append(np.diff(edges))
    areas = covered[0][:, None] * covered[1][None, :]
    return np.divide(sums, areas, out=np.zeros(shape), where=areas > 0)


def _sum_between(values: np.ndarray, edges: np.ndarray, axis: int) -> np.ndarray:
    """Return sums of `values` along `axis` between consecutive `edges`, which may cut a pixel."""
    totals = np.insert(np.cumsum(values, axis=axis), 0, 0.0, axis=axis)
    whole = np.minimum(np.floor(edges).astype(np.int64), values.shape[axis] - 1)
    part = np.expand_dims(edges - whole, 1 - axis)
    below, above = np.take(totals, whole, axis), np.take(totals, whole + 1, axis)
    return np.diff(below + part * (above - below), axis=axis)


def _pair_cells(heatmap: Raster, tumour: Raster) -> tuple[np.ndarray, np.ndarray]:
    """Return scores (float32) and truth (bool) of the tissue cells."""
    for own, other in zip(heatmap.values.shape, tumour.values.shape, strict=True):
        own_um, other_um = own * heatmap.um_px, other * tumour.um_px
        if abs(own_um - other_um) > heatmap.um_px + tumour.um_px:
            raise InputError(
                "tumour mask and heatmap",
                f"{other_um:g} µm and {own_um:g} µm along one side",
                "the same extent, up to a cell",
                "Make both from the same slide again.",
            )
    truth = resample_mask(tumour, heatmap.values.shape, heatmap.um_px) >= TUMOUR_SHARE
    tissue = ~np.isnan(heatmap.values)
    if not truth[tissue].any():
        log.warning("no tissue cell of %g µm is at least half tumour: no Jaccard index", heatmap.um_px)
    return heatmap.values[tissue].astype(np.float32), truth[tissue]
