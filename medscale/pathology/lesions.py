"""A heatmap in numbers: the 11 lesion features on which the slide classifier decides."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import ndimage
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist

from medscale.errors import InputError
from medscale.files.rasters import Raster, read_raster

UM_PER_MM = 1e3

REGION_FEATURES = (
    "largest_major_axis_mm",
    "largest_feret_mm",
    "largest_max_confidence",
    "largest_mean_confidence",
    "largest_area_mm2",
    "regions_mean_confidence",
    "regions_area_mm2",
    "regions_count",
)
SLIDE_FEATURES = (
    "slide_max_confidence",
    "slide_mean_confidence",
    "tissue_area_mm2",
    "tissue_background_ratio",
)


def feature_names(thresholds: Sequence[float]) -> list[str]:
    """Return the columns that `extract_features` fills, in the order of the feature table.

    Examples
    --------
    >>> feature_names([0.5])[0]
    'largest_major_axis_mm_at_0.5'
    """
    _check_thresholds(thresholds)
    return [f"{name}_at_{value:g}" for value in thresholds for name in REGION_FEATURES] + list(SLIDE_FEATURES)


def tabulate_features(
    heatmaps: Mapping[str, str | Path], *, thresholds: Sequence[float], connectivity: int = 8
) -> pd.DataFrame:
    """Extract the features of many slides.

    Parameters
    ----------
    heatmaps : mapping of slide name to the heatmap's file
    thresholds, connectivity
        As in `extract_features`.

    Returns
    -------
    DataFrame
        One row a slide, sorted by slide: `slide`, then the columns of `feature_names(thresholds)`.

    Raises
    ------
    InputError
        If a heatmap cannot be read or used; the message names its file.
    """
    rows = []
    for slide in sorted(heatmaps):
        path = heatmaps[slide]
        features = extract_features(
            read_raster(path), thresholds=thresholds, connectivity=connectivity, where=path
        )
        rows.append({"slide": slide, **features})
    return pd.DataFrame(rows, columns=["slide", *feature_names(thresholds)])


def extract_features(
    heatmap: Raster,
    *,
    thresholds: Sequence[float],
    connectivity: int = 8,
    where: str | Path = "heatmap",
) -> dict[str, float]:
    """Return the features of Table 2.2 (Lee & Paeng 2018), and the Feret diameter beside the ellipse axis.

    Features 1 to 6 and 9 describe regions and are given once for each threshold; features 7, 8, 10
    and 11 describe the slide. The source leaves much open; here

    - a cell without tissue is NaN and belongs to no region, mean or maximum;
    - a region is a set of connected tissue cells whose confidence is at least the threshold;
    - the largest region is the one of largest area; of equals the one of higher mean confidence, and
      of equals still the one met first, row by row;
    - the average of all confidences runs over tissue only;
    - foreground is tissue, background all else. Their ratio counts at least one cell of background,
      so that a heatmap full of tissue has a finite one;
    - without a region all region features are 0, so that the forest learns from such slides too;
    - the major axis is that of the ellipse with the region's second moments, as in scikit-image. It is
      0 for a single cell and 15 % too long for a line;
    - the Feret diameter is the longest distance between midpoints of cell edges: one cell's edge for a
      single cell, the true length for a line. It tells a single cell from no region.

    Parameters
    ----------
    heatmap : Raster
        float, shape (rows, columns), probabilities in [0, 1], NaN off tissue.
    thresholds : sequence of float
        Confidences in (0, 1], without repeats.
    connectivity : {8, 4}
        Whether cells that share only a corner are connected.
    where : str or Path
        What an error message names.

    Returns
    -------
    dict
        Keys in the order of `feature_names(thresholds)`; lengths in mm, areas in mm².

    Raises
    ------
    InputError
        If no cell is tissue, a confidence lies outside [0, 1], or an option is not as above.
    """
    names = feature_names(thresholds)
    values = _check_heatmap(heatmap.values, where)
    regions = [_describe_regions(values, value, heatmap.um_px, connectivity) for value in thresholds]
    numbers = [number for region in regions for number in region] + _describe_slide(values, heatmap.um_px)
    return dict(zip(names, map(float, numbers), strict=True))


def _describe_regions(values: np.ndarray, threshold: float, um_px: float, connectivity: int) -> list[float]:
    """Return the numbers of `REGION_FEATURES`."""
    # float32, so that a cell which holds 0.9 in the file reaches a threshold of 0.9.
    inside = values >= np.float32(threshold)
    labels, count = ndimage.label(inside, structure=_neighbourhood(connectivity))
    if count == 0:
        return [0.0] * len(REGION_FEATURES)
    members, confidences = labels[inside], values[inside].astype(np.float64)
    areas = np.bincount(members, minlength=count + 1)[1:]
    means = np.bincount(members, weights=confidences, minlength=count + 1)[1:] / areas
    largest = np.lexsort((np.arange(count), -means, -areas))[0]
    box = ndimage.find_objects(labels, max_label=largest + 1)[largest]
    region = labels[box] == largest + 1
    mm, mm2 = um_px / UM_PER_MM, (um_px / UM_PER_MM) ** 2
    return [
        measure_major_axis(region) * mm,
        measure_feret(region) * mm,
        confidences[members == largest + 1].max(),
        means[largest],
        areas[largest] * mm2,
        means.mean(),
        areas.sum() * mm2,
        count,
    ]


def _describe_slide(values: np.ndarray, um_px: float) -> list[float]:
    """Return the numbers of `SLIDE_FEATURES`."""
    tissue = values[~np.isnan(values)]
    background = max(values.size - tissue.size, 1)
    area_mm2 = tissue.size * (um_px / UM_PER_MM) ** 2
    return [tissue.max(), tissue.mean(dtype=np.float64), area_mm2, tissue.size / background]


def measure_major_axis(region: np.ndarray) -> float:
    """Return the major axis, in cells, of the ellipse with the second moments of `region` (bool mask)."""
    cells = np.argwhere(region).T.astype(np.float64)
    return 4.0 * float(np.sqrt(max(np.linalg.eigvalsh(np.cov(cells, bias=True))[-1], 0.0)))


def measure_feret(region: np.ndarray) -> float:
    """Return the longest distance, in cells, between two midpoints of cell edges of `region` (bool mask).

    scikit-image measures the cells of the convex hull instead and can be up to half a cell longer.
    """
    steps = np.array([(-0.5, 0.0), (0.5, 0.0), (0.0, -0.5), (0.0, 0.5)])
    midpoints = (_row_ends(region)[:, None, :] + steps).reshape(-1, 2)
    return float(pdist(midpoints[ConvexHull(midpoints).vertices]).max())


def _row_ends(region: np.ndarray) -> np.ndarray:
    """Return the first and last cell of each row, (n, 2): no other can be the end of a diameter."""
    rows = np.flatnonzero(region.any(axis=1))
    first = region[rows].argmax(axis=1)
    last = region.shape[1] - 1 - region[rows, ::-1].argmax(axis=1)
    return np.concatenate([np.column_stack([rows, first]), np.column_stack([rows, last])])


def _neighbourhood(connectivity: int) -> np.ndarray:
    if connectivity not in (4, 8):
        raise InputError("connectivity", repr(connectivity), "4 or 8", "Correct it in the config.")
    return ndimage.generate_binary_structure(2, 2 if connectivity == 8 else 1)


def _check_thresholds(thresholds: Sequence[float]) -> None:
    texts = [f"{value:g}" for value in thresholds]
    if texts and len(set(texts)) == len(texts) and all(0 < value <= 1 for value in thresholds):
        return
    raise InputError(
        "thresholds",
        str(list(thresholds)),
        "one or more different confidences in (0, 1]",
        "Correct the list in the config.",
    )


def _check_heatmap(values: np.ndarray, where: str | Path) -> np.ndarray:
    """Return the probabilities as float32."""
    values = values.astype(np.float32, copy=False)
    if values.ndim != 2 or np.isnan(values).all():
        found = f"shape {values.shape}" if values.ndim != 2 else f"no tissue in {values.size} cells (all NaN)"
        raise InputError(
            where, found, "a heatmap with tissue", "Look at the slide's tissue mask and its settings."
        )
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if low < 0 or high > 1:
        raise InputError(
            where, f"values from {low:g} to {high:g}", "probabilities in [0, 1]", "Delete it and run again."
        )
    return values
