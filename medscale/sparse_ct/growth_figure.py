"""The course of trainings whose batch grows: losses and PSNR over epochs, and their end enlarged."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from medscale.errors import InputError

# As in the thesis: training on the left, validation on the right, losses above.
PANELS = (
    (("train_loss", "training loss (MAE)"), ("validation_loss", "validation loss (MAE)")),
    (("train_psnr", "training PSNR (dB)"), ("validation_psnr", "validation PSNR (dB)")),
)
MEASURES = tuple(name for line in PANELS for name, _ in line)
INPUT_COLUMNS = ("schedule", "seed", "epoch", *MEASURES)
COLOURS = ("#000000", "#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1", "#7f7f7f")
# Share of the epochs that is enlarged where no batch grows, and room before the first growth.
END_SHARE, MARGIN_SHARE = 0.2, 0.05
FEW_EPOCHS = 10


def draw_growth(history: pd.DataFrame) -> Figure:
    """Draw training and validation over the epochs, as in Figures 3.9 to 3.11 of the thesis.

    The left half shows all epochs, the right half those from shortly before the first batch grows. A thin
    line is one seed, a strong one the mean of the seeds; a dotted line marks where a batch grows.

    Parameters
    ----------
    history : DataFrame
        One row an epoch of each training: `schedule`, `seed`, `epoch`, `train_loss`, `train_psnr`,
        `validation_loss`, `validation_psnr`, and optionally `batch_size`. Schedules are drawn in the order
        in which they come first.

    Raises
    ------
    InputError
        If a column is missing, there is no row, or a training has the same epoch twice.
    """
    _check(history)
    schedules = list(dict.fromkeys(history["schedule"]))
    growths = _find_growths(history)
    start = _find_start(history, growths)
    figure = Figure(figsize=(15.0, 7.0 + 0.25 * (len(schedules) // 5)), layout="constrained")
    halves = figure.subfigures(1, 2, wspace=0.03)
    end = history[history["epoch"] >= start]
    for half, part, title in zip(halves, (history, end), ("all epochs", f"from epoch {start}"), strict=True):
        half.suptitle(title)
        for line, names in zip(half.subplots(2, 2, sharex=True), PANELS, strict=True):
            for axes, (measure, label) in zip(line, names, strict=True):
                _draw_panel(axes, part, measure, schedules)
                _mark_growths(axes, [epoch for epoch in growths if epoch >= start])
                axes.set_ylabel(label)
        for axes in half.axes[-2:]:
            axes.set_xlabel("epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    for axes in halves[0].axes[:2]:
        axes.set_yscale("log")
    handles, labels = halves[0].axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 5), frameon=False)
    return figure


def _draw_panel(axes: Axes, history: pd.DataFrame, measure: str, schedules: list[str]) -> None:
    """Draw one measure of every schedule: each seed, and the mean over the epochs that all seeds have."""
    for place, schedule in enumerate(schedules):
        own = history[history["schedule"] == schedule]
        curves = own.pivot(index="epoch", columns="seed", values=measure)
        colour = COLOURS[place % len(COLOURS)]
        dash = "-" if place < len(COLOURS) else "--"
        # A line of one epoch is no line.
        marker = "." if len(curves) <= FEW_EPOCHS else ""
        seeds = curves.shape[1]
        if seeds > 1:
            axes.plot(curves.index, curves, dash, color=colour, linewidth=0.6, alpha=0.45)
        label = f"{schedule} ({seeds} seed{'s' if seeds > 1 else ''})"
        mean = curves.mean(axis=1, skipna=False)
        axes.plot(mean.index, mean, dash, color=colour, linewidth=1.8, marker=marker, label=label)
    axes.grid(alpha=0.25)


def _mark_growths(axes: Axes, epochs: list[int]) -> None:
    for epoch in epochs:
        axes.axvline(epoch - 0.5, color="grey", linewidth=0.8, linestyle=":")


def _find_growths(history: pd.DataFrame) -> list[int]:
    """Return the epochs, ascending, in which any training's batch is not that of the epoch before."""
    if "batch_size" not in history:
        return []
    epochs: set[int] = set()
    for _, own in history.sort_values("epoch").groupby(["schedule", "seed"]):
        changed = np.diff(own["batch_size"].to_numpy()) != 0
        epochs |= set(own["epoch"].to_numpy()[1:][changed].tolist())
    return sorted(epochs)


def _find_start(history: pd.DataFrame, growths: list[int]) -> int:
    """Return the epoch from which the end of the trainings is enlarged."""
    first, last = int(history["epoch"].min()), int(history["epoch"].max())
    length = last - first + 1
    start = growths[0] - round(MARGIN_SHARE * length) if growths else last + 1 - round(END_SHARE * length)
    return min(max(start, first), last)


def _check(history: pd.DataFrame) -> None:
    missing = [name for name in INPUT_COLUMNS if name not in history]
    repeated = not missing and history.duplicated(["schedule", "seed", "epoch"]).any()
    if missing or history.empty or repeated:
        found = f"no column {missing[0]}" if missing else "one epoch twice" if repeated else "no epoch"
        expected = f"the columns {', '.join(INPUT_COLUMNS)} and a row an epoch"
        raise InputError("histories of the trainings", found, expected, "Train the networks again.")
