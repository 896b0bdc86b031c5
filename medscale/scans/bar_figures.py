"""Bars with intervals: what images and demographic scores bring, and what the classifier's aid brings."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medscale.errors import InputError
from medscale.figures.colours import COLOURS
from medscale.scans.segmentation_table import AIDS, EMPTY

SPLITS = {"train": "training", "test": "test"}
MAJORITY = "majority"
FLOOR_LOOK = {"color": "#777777", "linestyle": "--", "linewidth": 1.2}
REPORT_LOOK = {"marker": "x", "color": "#aa0000", "markersize": 7, "linestyle": "none"}
WIDTH = 0.8


def draw_ablation(volumes: pd.DataFrame) -> Figure:
    """Draw accuracies of image, demographic scores and both, with 95 % intervals and the floor.

    Parameters
    ----------
    volumes : DataFrame
        Of `compare_inputs`.

    Raises
    ------
    InputError
        If it holds no training.
    """
    rows = volumes[volumes["inputs"] != MAJORITY]
    _check(rows, "compare_inputs")
    figure = Figure(figsize=(1.6 * len(rows) + 1.8, 4), layout="constrained")
    axes = figure.add_subplot()
    for place, (split, title) in enumerate(SPLITS.items()):
        _draw_bars(axes, rows, f"{split}_accuracy", place, len(SPLITS), title)
    for value in volumes.loc[volumes["inputs"] == MAJORITY, "test_accuracy"]:
        axes.axhline(value, **FLOOR_LOOK, label="floor: most frequent class, test")
    _finish(axes, rows["inputs"].tolist(), "accuracy")
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    return figure


def draw_overlaps(segmentation: pd.DataFrame) -> Figure:
    """Draw mean IoU of each loss and aid on training and test images, beside the report's numbers.

    Parameters
    ----------
    segmentation : DataFrame
        Of `tabulate_segmentation`.

    Raises
    ------
    InputError
        If it holds no training.
    """
    rows, empty = (segmentation[segmentation["loss"].eq(EMPTY) == floor] for floor in (False, True))
    _check(rows, "tabulate_segmentation")
    losses = rows["loss"].unique().tolist()
    aids = [aid for aid in AIDS if aid in set(rows["aid"])]
    figure = Figure(figsize=(2.4 * len(losses) + 2.4, 4), layout="constrained")
    panels = figure.subplots(1, len(SPLITS), sharey=True)
    for axes, (split, title) in zip(panels, SPLITS.items(), strict=True):
        for place, aid in enumerate(aids):
            own = rows[rows["aid"] == aid].set_index("loss").reindex(losses)
            points = _draw_bars(axes, own, f"{split}_iou", place, len(aids), f"aid: {aid}")
            axes.plot(points, own[f"report_{split}_iou"], **REPORT_LOOK)
        for value in empty[f"{split}_iou"]:
            axes.axhline(value, **FLOOR_LOOK, label="floor: empty outlines")
        axes.plot([], [], **REPORT_LOOK, label="the report, at 512 px on its own splits")
        _finish(axes, losses, "")
        axes.set_title(f"{title} images", fontsize=10)
    panels[0].set_ylabel("mean IoU")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def _draw_bars(axes: Axes, rows: pd.DataFrame, score: str, place: int, count: int, label: str) -> np.ndarray:
    """Draw one of `count` bars at each group, and return where they stand."""
    width = WIDTH / count
    points = np.arange(len(rows)) + (place - (count - 1) / 2) * width
    colour = COLOURS[place]
    axes.bar(points, rows[score].astype(float), 0.92 * width, color=colour, alpha=0.75, label=label)
    axes.vlines(points, rows[f"{score}_low"], rows[f"{score}_high"], color="black", linewidth=1.2)
    return points


def _finish(axes: Axes, groups: Sequence[str], title: str) -> None:
    axes.set_xticks(np.arange(len(groups)), groups)
    axes.set(ylim=(0, 1.02), ylabel=title)
    axes.grid(axis="y", alpha=0.25)


def _check(rows: pd.DataFrame, maker: str) -> None:
    if rows.empty:
        raise InputError("figure of scores", "no row", "one at least", f"Give the table of {maker}.")
