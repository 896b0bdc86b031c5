"""The Jaccard index of every annotated slide, as a table."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from medscale.files.rasters import Raster, read_raster
from medscale.pathology.overlap import jaccard, jaccard_best_threshold, jaccard_floor

UM2_PER_MM2 = 1e6


def tabulate_overlaps(
    slides: Sequence[str],
    splits: Sequence[str],
    heatmaps: Sequence[str | Path],
    tumours: Sequence[str | Path],
    threshold: float,
) -> pd.DataFrame:
    """Measure each heatmap against the annotation of its slide.

    Parameters
    ----------
    slides, splits, heatmaps, tumours
        Names, splits, heatmap files and tumour masks, in the same order.
    threshold : float
        Probability from which a cell counts as tumour.

    Returns
    -------
    DataFrame
        slide, split, tumour_area_mm2, jaccard, jaccard_best_threshold, best_threshold, jaccard_floor
        (calling all tissue tumour). A Jaccard index is missing where no cell is half tumour.
    """
    rows = []
    for slide, split, heatmap_path, tumour_path in zip(slides, splits, heatmaps, tumours, strict=True):
        heatmap, tumour = read_raster(heatmap_path), read_raster(tumour_path)
        best, best_threshold = jaccard_best_threshold(heatmap, tumour)
        rows.append(
            {
                "slide": slide,
                "split": split,
                "tumour_area_mm2": _area_mm2(tumour),
                "jaccard": jaccard(heatmap, tumour, threshold),
                "jaccard_best_threshold": best,
                "best_threshold": best_threshold,
                "jaccard_floor": jaccard_floor(heatmap, tumour),
            }
        )
    columns = "slide split tumour_area_mm2 jaccard jaccard_best_threshold best_threshold jaccard_floor"
    return pd.DataFrame(rows, columns=columns.split())


def _area_mm2(mask: Raster) -> float:
    return float((mask.values != 0).sum()) * mask.um_px**2 / UM2_PER_MM2
