"""Dice of each test tumour over its volume."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullLocator

from medscale.figures.colours import style_of
from medscale.files.pictures import draw_note
from medscale.kits19.tumour_volumes import DICE, VOLUME, correlate

PANEL_INCHES, PANELS_A_LINE = 2.5, 5
MARGIN = 1.5


def draw_volumes(tumours: pd.DataFrame) -> Figure:
    """Draw a panel for each network: a point for each tumour, with Spearman's rank correlation.

    Parameters
    ----------
    tumours : DataFrame
        Of `collect_tumours`; of none, the figure only says so.
    """
    if tumours.empty:
        return draw_note("No test case has a tumour.")
    networks, correlations = list(dict.fromkeys(tumours["network"])), correlate(tumours)
    columns = min(len(networks), PANELS_A_LINE)
    lines = -(-len(networks) // columns)
    figure = Figure(figsize=(PANEL_INCHES * columns + 0.5, PANEL_INCHES * lines + 0.5), layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=True).ravel()
    styles = style_of(networks)
    for axes, network in zip(panels, networks, strict=False):
        own, rho = tumours[tumours["network"] == network], correlations[network]
        look = {"color": styles[network]["color"], "marker": styles[network]["marker"]}
        axes.scatter(own[VOLUME], own[DICE], **look, s=24, alpha=0.8, linewidths=0)
        measured = "not defined" if np.isnan(rho) else f"{rho:.2f}"
        axes.set_title(f"{network}\nSpearman's ρ {measured}, {len(own)} tumours", fontsize=9)
        axes.set_ylim(-0.04, 1.04)
        axes.grid(alpha=0.25)
    _scale(panels[0], tumours[VOLUME])
    for axes in panels[len(networks) - columns : len(networks)]:
        axes.tick_params(labelbottom=True)
    for axes in panels[len(networks) :]:
        axes.set_axis_off()
    figure.supxlabel("volume of the tumour, ml", fontsize=10)
    figure.supylabel("Dice of the tumour", fontsize=10)
    return figure


def _scale(axes: Axes, volumes: pd.Series) -> None:
    """Scale the volumes of all panels by logarithm, with plain numbers at 1, 2, 5, 10 and so on."""
    axes.set(xscale="log", xlim=(volumes.min() / MARGIN, volumes.max() * MARGIN))
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.xaxis.set_minor_locator(NullLocator())
