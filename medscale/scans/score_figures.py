"""Accuracy over the cost of networks and over the number of images, and scores over the size of images."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullLocator

from medscale.errors import InputError
from medscale.figures.colours import style_of
from medscale.scans.architecture_table import MAJORITY

FLOOR_LOOK = {"color": "#777777", "linestyle": "--", "linewidth": 1.2, "zorder": 1}
COSTS = {"parameters": "parameters", "operations": "multiply-accumulates per image"}
SIZE_PANELS = {
    "test_accuracy": ("floor_accuracy", "test accuracy"),
    "test_iou": ("floor_iou", "test IoU, own grid"),
    "test_iou_original": ("floor_iou_original", "test IoU, original grid"),
}
# Points that would lie on each other are drawn this much of an octave apart.
APART = 0.06


def draw_costs(architectures: pd.DataFrame) -> Figure:
    """Draw test accuracy over the numbers of parameters and operations, with 95 % intervals.

    Methods without parameters have a panel of their own; the dashed line is the most frequent class.

    Parameters
    ----------
    architectures : DataFrame
        Of `tabulate_architectures`.

    Raises
    ------
    InputError
        If it holds no network and no method.
    """
    rows = architectures[architectures["network"] != MAJORITY]
    _check(rows, "tabulate_architectures")
    floor = architectures.loc[architectures["network"] == MAJORITY, "test_accuracy"]
    styles = style_of(rows["network"].tolist())
    networks, others = (rows[rows["parameters"].notna() == known] for known in (True, False))
    figure = Figure(figsize=(10.5, 5.2), layout="constrained")
    widths = [4, 4, 1] if len(others) else [4, 4]
    panels = figure.subplots(1, len(widths), sharey=True, width_ratios=widths)
    for axes, (cost, title) in zip(panels, COSTS.items(), strict=False):
        for row in networks.to_dict("records"):
            _draw_point(axes, float(row[cost]), row, "test_accuracy", styles[row["network"]])
        axes.set(xlabel=title, xscale="log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    if len(others):
        for place, row in enumerate(others.to_dict("records")):
            _draw_point(panels[-1], place, row, "test_accuracy", styles[row["network"]])
        panels[-1].set(xlabel="hand-made\nfeatures", xticks=[], xlim=(-0.7, len(others) - 0.3))
    for axes in panels:
        _draw_floor(axes, floor)
        axes.set_ylim(-0.02, 1.02)
        axes.grid(alpha=0.25)
    panels[0].set_ylabel("test accuracy")
    _draw_legend(figure, panels, 4)
    return figure


def draw_data_sizes(table: pd.DataFrame) -> Figure:
    """Draw test accuracy over the number of training images, with 95 % intervals.

    Parameters
    ----------
    table : DataFrame
        Of `tabulate_data_sizes`.

    Raises
    ------
    InputError
        If it is empty.
    """
    _check(table, "tabulate_data_sizes")
    figure = Figure(figsize=(7, 4.8), layout="constrained")
    axes = figure.add_subplot()
    _draw_lines(axes, table, "train_images", "test_accuracy", style_of(table["network"].unique()))
    _draw_floor(axes, table["floor_accuracy"])
    axes.set(xlabel="training images (mean over seeds)", ylabel="test accuracy", ylim=(-0.02, 1.02))
    _draw_legend(figure, [axes], 3)
    return figure


def draw_image_sizes(table: pd.DataFrame) -> Figure:
    """Draw a classifier's accuracy and the IoU of outlines, on both grids, over the size of images.

    Each network has the same look in all panels. Dashed lines are floors: the most frequent class, and
    outlines that are always empty.

    Parameters
    ----------
    table : DataFrame
        Of `tabulate_image_sizes`.

    Raises
    ------
    InputError
        If it is empty.
    """
    _check(table, "tabulate_image_sizes")
    shown = [score for score in SIZE_PANELS if table[score].notna().any()]
    figure = Figure(figsize=(3.6 * len(shown), 3.8), layout="constrained")
    panels = figure.subplots(1, len(shown), squeeze=False, sharey=True)[0]
    styles = style_of(table["network"].unique())
    for axes, score in zip(panels, shown, strict=True):
        floor, title = SIZE_PANELS[score]
        known = table[table[score].notna()]
        _draw_lines(axes, known, "size_px", score, styles)
        floors = known.groupby("size_px")[floor].first().dropna()
        axes.plot(floors.index, floors, **FLOOR_LOOK, label="floor")
        axes.set(xlabel="edge of an image (px)", title=title, ylim=(-0.02, 1.02))
        axes.title.set_fontsize(10)
    _draw_legend(figure, panels, 3)
    return figure


def _draw_lines(axes: Axes, table: pd.DataFrame, x: str, score: str, styles: Mapping[str, Mapping]) -> None:
    networks = table["network"].unique()
    for place, network in enumerate(networks):
        own, style = table[table["network"] == network], styles[network]
        shift = 2 ** (APART * (place - (len(networks) - 1) / 2))
        points = own[x].astype(float) * shift
        axes.plot(points, own[score], color=style["color"], linestyle=style["linestyle"], linewidth=1.3)
        for point, row in zip(points, own.to_dict("records"), strict=True):
            _draw_point(axes, point, row, score, style)
    ticks = sorted({round(float(value)) for value in table[x]})
    axes.set_xscale("log")
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.grid(alpha=0.25)


def _draw_point(axes: Axes, place: float, row: Mapping, score: str, style: Mapping[str, str]) -> None:
    look = {"color": style["color"], "marker": style["marker"]}
    axes.vlines(
        place, row[f"{score}_low"], row[f"{score}_high"], color=look["color"], linewidth=1.2, alpha=0.7
    )
    axes.plot([place], [row[score]], **look, linestyle="none", label=row["network"])


def _draw_floor(axes: Axes, values: pd.Series) -> None:
    for value in values.dropna().unique()[:1]:
        axes.axhline(value, **FLOOR_LOOK, label="floor: most frequent class")


def _draw_legend(figure: Figure, panels: Sequence[Axes], columns: int) -> None:
    """Draw one legend for all panels; what several points share stands there once."""
    unique = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            unique.setdefault(label, handle)
    place = {"loc": "outside lower center", "ncols": columns}
    figure.legend(unique.values(), unique, **place, frameon=False, fontsize=8)


def _check(rows: pd.DataFrame, maker: str) -> None:
    if rows.empty:
        raise InputError("figure of scores", "no row", "one at least", f"Give the table of {maker}.")
