"""The table of reconstruction methods: quality by view count, with intervals over patients."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from medscale.bootstrap import NO_INTERVAL, draw_patients, percentile_interval
from medscale.errors import InputError

METHODS = ("fbp_ramp", "fbp_shepp_logan", "fbp_cosine", "fbp_hann", "tv", "denoiser")
BASELINE = "fbp_ramp"
METRICS = ("psnr_db", "ssim", "rmse_hu")
GAIN = "psnr_gain_db"
GROUP = ["size_px", "views", "method"]
UNIT = ["image", "slice"]
INPUT_COLUMNS = ("image", "patient", "slice", *GROUP, *METRICS, "data_range")
COLUMNS = [
    *GROUP,
    "slices",
    "patients",
    *(f"{m}{end}" for m in (*METRICS, GAIN) for end in ("", "_low", "_high")),
]
COLUMNS += ["data_range"]


def summarise(scores: pd.DataFrame, bootstrap_samples: int, seed: int) -> pd.DataFrame:
    """Average the scores of each method, size and view count.

    Every slice counts the same: a mean PSNR is the mean of the slices' PSNR in dB, not the PSNR of a mean
    error. The gain is the mean over slices of the difference to `fbp_ramp` on the same slice. Intervals are
    95 % percentile bootstrap intervals that draw whole patients, the same ones for all methods.

    Parameters
    ----------
    scores : DataFrame
        One row a slice and method: `image`, `patient`, `slice`, `size_px`, `views`, `method` (one of
        `METHODS`), `psnr_db`, `ssim`, `rmse_hu`, `data_range`.
    bootstrap_samples : int
    seed : int
        The run's seed.

    Returns
    -------
    DataFrame
        `COLUMNS`, ordered by size, views and `METHODS`. Intervals are missing with fewer than two patients;
        gains are missing where there is no `fbp_ramp`.

    Raises
    ------
    InputError
        If a column is missing, a method unknown, a slice given twice, a value not finite, a baseline of
        other slices, or if data ranges differ: PSNRs of different ranges must not stand in one table.
    """
    _check(scores)
    # In a fixed order, so that sums have the same last bit however the rows came.
    scores = scores.sort_values([*GROUP, *UNIT], ignore_index=True)
    scores = scores.assign(**{GAIN: _gains(scores)})
    rows = []
    for (size_px, views), own in scores.groupby(["size_px", "views"], sort=True):
        patients = sorted(own["patient"].astype(str).unique())
        name = f"{size_px} {views}"
        weights = draw_patients(len(patients), bootstrap_samples, seed, "reconstruction", name)
        for method in METHODS:
            part = own[own["method"] == method]
            if len(part):
                head = {"size_px": size_px, "views": views, "method": method}
                rows.append({**head, **_summarise_method(part, patients, weights)})
    return pd.DataFrame(rows, columns=COLUMNS)


def _summarise_method(
    part: pd.DataFrame, patients: Sequence[str], weights: np.ndarray | None
) -> dict[str, float]:
    """Return counts, means and intervals of the slices of one method."""
    row: dict[str, float] = {
        "slices": len(part),
        "patients": part["patient"].nunique(),
        "data_range": part["data_range"].iloc[0],
    }
    owner = pd.Categorical(part["patient"].astype(str), categories=patients).codes
    sizes = np.bincount(owner, minlength=len(patients)).astype(float)
    for metric in (*METRICS, GAIN):
        values = part[metric].to_numpy(float)
        row[metric] = values.mean()
        ends = NO_INTERVAL
        if weights is not None and row["patients"] > 1 and not np.isnan(values).any():
            sums = np.bincount(owner, weights=values, minlength=len(patients))
            drawn = weights @ sizes
            means = (weights @ sums)[drawn > 0] / drawn[drawn > 0]
            ends = percentile_interval(means)
        row[f"{metric}_low"], row[f"{metric}_high"] = ends
    return row


def _gains(scores: pd.DataFrame) -> pd.Series:
    """Return each row's PSNR less that of the baseline on the same slice."""
    keys = [*UNIT, "size_px", "views"]
    baseline = scores[scores["method"] == BASELINE].set_index(keys)["psnr_db"]
    paired = baseline.reindex(pd.MultiIndex.from_frame(scores[keys]))
    return pd.Series(scores["psnr_db"].to_numpy() - paired.to_numpy(), scores.index)


def _check(scores: pd.DataFrame) -> None:
    missing = [name for name in INPUT_COLUMNS if name not in scores]
    if missing:
        _refuse(f"no column {missing[0]}", f"the columns {', '.join(INPUT_COLUMNS)}")
    unknown = sorted(set(scores["method"]) - set(METHODS))
    if unknown:
        _refuse(f"the method {unknown[0]!r}", f"one of {', '.join(METHODS)}")
    if scores.duplicated([*UNIT, *GROUP]).any():
        _refuse("the same slice and method twice", "one row a slice, size, view count and method")
    if not np.isfinite(scores[list(METRICS)].to_numpy(float)).all():
        _refuse(
            "a score that is not finite", "finite scores: an estimate that equals its reference is no result"
        )
    if scores["data_range"].nunique() > 1:
        _refuse("several data ranges", "one data range for every PSNR of a table")
    _check_baseline(scores)


def _check_baseline(scores: pd.DataFrame) -> None:
    """Refuse a table in which the baseline was measured on other slices than a method."""
    for _, own in scores.groupby(["size_px", "views"]):
        slices = {m: set(map(tuple, part[UNIT].to_numpy())) for m, part in own.groupby("method")}
        for method, measured in slices.items():
            if BASELINE in slices and not measured <= slices[BASELINE]:
                _refuse(f"{method} on slices without {BASELINE}", "every method on slices of the baseline")


def _refuse(found: str, expected: str) -> None:
    raise InputError("scores of the reconstructions", found, expected, "Measure the reconstructions again.")
