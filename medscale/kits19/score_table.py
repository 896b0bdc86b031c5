"""Scores of predictions on disk, as a table with a row for each case."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from medscale.files.gathered_slices import each_slice
from medscale.kits19.cases import Grid, check_same_place, read_segmentation
from medscale.kits19.floors import FLOORS
from medscale.kits19.regions import TOLERANCES_MM
from medscale.kits19.scores import score_case


def score_cases(
    cases: Sequence[str],
    segmentations: Sequence[str | Path],
    predictions: Sequence[str | Path],
    tolerances_mm: Mapping[str, float] = TOLERANCES_MM,
) -> pd.DataFrame:
    """Score each prediction against the segmentation of its case, on the grid of both.

    Parameters
    ----------
    cases, segmentations, predictions
        Names and files, in the same order.

    Returns
    -------
    DataFrame
        `case` and the columns of `score_case`.

    Raises
    ------
    InputError
        If a file cannot be read, holds other labels than 0, 1 and 2, or lies elsewhere than the
        segmentation of its case.
    """
    rows = []
    for case, segmentation, prediction in zip(cases, segmentations, predictions, strict=True):
        check_same_place(segmentation, prediction)
        truth, grid = _read(segmentation)
        scores = score_case(truth, _read(prediction)[0], grid.spacing_mm, tolerances_mm)
        rows.append({"case": case, **scores})
    return pd.DataFrame(rows)


def score_floors(
    cases: Sequence[str],
    segmentations: Sequence[str | Path],
    tolerances_mm: Mapping[str, float] = TOLERANCES_MM,
    floors: Mapping[str, Callable[[np.ndarray], np.ndarray]] = FLOORS,
) -> pd.DataFrame:
    """Score predictors that know nothing on the same cases.

    Returns
    -------
    DataFrame
        `network` with the name of the predictor, `case`, and the columns of `score_case`.
    """
    rows = []
    for case, segmentation in zip(cases, segmentations, strict=True):
        truth, grid = _read(segmentation)
        for name, predict in floors.items():
            scores = score_case(truth, predict(truth), grid.spacing_mm, tolerances_mm)
            rows.append({"network": name, "case": case, **scores})
    return pd.DataFrame(rows).sort_values(["network", "case"], kind="stable", ignore_index=True)


def _read(path: str | Path) -> tuple[np.ndarray, Grid]:
    """Return labels in memory by slices, which are looked through one after another, and their grid."""
    labels, grid = read_segmentation(path)
    return np.stack(list(each_slice(labels))), grid
