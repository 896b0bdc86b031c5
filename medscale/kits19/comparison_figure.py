"""Scores of all networks with their intervals, the thesis's numbers and the floors."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from medscale.errors import InputError
from medscale.figures.colours import style_of
from medscale.kits19.comparison import POOLED
from medscale.kits19.floors import FLOORS

PANELS = {
    "dice_kidney_and_tumour": "Dice of kidney with tumour",
    "dice_tumour": "Dice of the tumour",
    "surface_dice_kidney_and_tumour": "surface Dice of kidney with tumour",
    "surface_dice_tumour": "surface Dice of the tumour",
    POOLED: "weighted Jaccard, pooled",
}
FLOOR_LOOKS = {"all_background": ("#777777", ":"), "no_tumour": ("#777777", "--")}
THESIS_LOOK = {"marker": "x", "color": "#aa0000", "markersize": 7, "linestyle": "none"}
ROW_INCHES, PANEL_INCHES = 0.32, 2.6


def draw_comparison(comparison: pd.DataFrame) -> Figure:
    """Draw one line for each network: its mean scores with 95 % intervals.

    A single patient has no interval. Vertical lines are the floors of predictors that know nothing; a cross
    is what the thesis prints.

    Parameters
    ----------
    comparison : DataFrame
        Of `compare_segmenters`.

    Raises
    ------
    InputError
        If it holds no network.
    """
    is_floor = comparison["network"].isin(list(FLOORS))
    networks, floors = comparison[~is_floor], comparison[is_floor].set_index("network")
    if networks.empty:
        raise InputError(
            "comparison", "no network", "a row for each", "Give the table of compare_segmenters."
        )
    width = PANEL_INCHES * len(PANELS) + 1.8
    figure = Figure(figsize=(width, ROW_INCHES * len(networks) + 1.6), layout="constrained")
    panels = figure.subplots(1, len(PANELS), squeeze=False, sharey=True)[0]
    for axes, (score, title) in zip(panels, PANELS.items(), strict=True):
        _draw_scores(axes, networks, score)
        for name in floors.index:
            colour, dash = FLOOR_LOOKS[name]
            axes.axvline(floors.at[name, score], color=colour, linestyle=dash, linewidth=1.2, zorder=1)
        axes.set_title(title, fontsize=10)
        axes.grid(axis="x", alpha=0.25)
    panels[-1].plot(networks[f"thesis_{POOLED}"], np.arange(len(networks)), **THESIS_LOOK)
    panels[0].set_yticks(np.arange(len(networks)), networks["network"])
    panels[0].set_ylim(len(networks) - 0.5, -0.5)
    _limit(panels)
    handles = _handles(list(floors.index), alone=bool((networks["cases"] < 2).all()))
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
    return figure


def _draw_scores(axes: Axes, networks: pd.DataFrame, score: str) -> None:
    styles = style_of(list(networks["network"]))
    for place, row in enumerate(networks.to_dict("records")):
        colour = styles[row["network"]]["color"]
        ends = row[f"{score}_low"], row[f"{score}_high"]
        axes.plot(ends, [place, place], color=colour, linewidth=2, solid_capstyle="butt", zorder=2)
        axes.plot(row[score], place, "o", color=colour, markersize=6, zorder=3)


def _limit(panels: list[Axes]) -> None:
    """All scores lie between 0 and 1; only the last panel, whose floors are high, is enlarged."""
    for axes in panels[:-1]:
        axes.set_xlim(-0.03, 1.03)
    low = panels[-1].get_xlim()[0]
    panels[-1].set_xlim(min(low, 0.97), 1.005)


def _handles(floors: list[str], alone: bool) -> list[Line2D]:
    mean = "the only test patient: no interval" if alone else "mean and 95 % interval over patients"
    looks = {name: FLOOR_LOOKS[name] for name in floors}
    return [
        Line2D([], [], color="black", marker="o", label=mean),
        *(
            Line2D([], [], color=colour, linestyle=dash, label=f"floor: {name.replace('_', ' ')}")
            for name, (colour, dash) in looks.items()
        ),
        Line2D([], [], label="thesis, on KiTS19's own test patients", **THESIS_LOOK),
    ]
