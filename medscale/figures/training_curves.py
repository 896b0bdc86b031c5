"""The course of several trainings side by side."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from medscale.errors import InputError
from medscale.figures.colours import style_of

COLUMNS_OF_PANELS = 3
FEW_EPOCHS = 15
# What has no upper end; everything else is a score from 0 to 1.
UNBOUNDED = ("loss", "learning_rate")


def collect_histories(
    names: Sequence[str],
    seeds: Sequence[int],
    histories: Sequence[Sequence[Mapping[str, float]]],
    measures: Sequence[str],
    name_column: str = "network",
) -> pd.DataFrame:
    """Return one row for each epoch of each training; what was not recorded is missing.

    Parameters
    ----------
    names, seeds
        Of each training.
    histories
        Their records, as in the model cards.
    measures : sequence of str
        Which numbers of a record are kept.

    Returns
    -------
    DataFrame
        `name_column`, seed, epoch and the measures.
    """
    columns = [name_column, "seed", "epoch", *measures]
    parts = [
        pd.DataFrame(list(history)).assign(**{name_column: name, "seed": seed})
        for name, seed, history in zip(names, seeds, histories, strict=True)
    ]
    return pd.concat(parts, ignore_index=True).reindex(columns=columns)


def draw_curves(
    histories: pd.DataFrame,
    panels: Mapping[str, str],
    name_column: str = "network",
    columns: int = COLUMNS_OF_PANELS,
) -> Figure:
    """Draw a panel for each measure that was recorded, over the epochs.

    A thin line is one seed, a strong one the mean of a training's seeds as far as all have come.

    Parameters
    ----------
    histories : DataFrame
        Of `collect_histories`. Trainings are drawn in the order in which they come first, which figures of
        other tables share.
    panels : mapping of str to str
        Measures and what to write beside their axes.
    columns : int
        Of panels.

    Raises
    ------
    InputError
        If there is no epoch, or a training has one twice.
    """
    _check(histories, name_column)
    styles = style_of(list(dict.fromkeys(histories[name_column])))
    known = [name for name in panels if histories[name].notna().any()]
    lines = -(-len(known) // columns)
    figure = Figure(figsize=(4.2 * columns, 3.1 * lines + 0.5), layout="constrained")
    places = figure.subplots(lines, columns, squeeze=False, sharex=True).ravel()
    for axes, measure in zip(places, known, strict=False):
        for name, style in styles.items():
            draw_training(axes, histories[histories[name_column] == name], measure, name, style)
        finish_panel(axes, measure, panels[measure])
    for axes in places[len(known) :]:
        axes.set_axis_off()
    for axes in places[max(0, len(known) - columns) : len(known)]:
        axes.set_xlabel("epoch")
        axes.tick_params(labelbottom=True)
    handles, labels = places[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 5), frameon=False)
    return figure


def draw_training(axes: Axes, own: pd.DataFrame, measure: str, name: str, style: Mapping[str, str]) -> None:
    """Draw one training over the epochs: a thin line for each of several seeds, a strong one for the mean.

    Parameters
    ----------
    own : DataFrame
        Rows of this training: seed, epoch and the measure.
    style : mapping
        Of `style_of`.
    """
    curves = own.pivot(index="epoch", columns="seed", values=measure)
    seeds = curves.shape[1]
    look = {"color": style["color"], "linestyle": style["linestyle"]}
    if seeds > 1:
        axes.plot(curves.index, curves, **look, linewidth=0.6, alpha=0.45)
    marker = style["marker"] if len(curves) <= FEW_EPOCHS else ""
    mean = curves.mean(axis=1, skipna=False)
    label = f"{name} ({seeds} seed{'s' if seeds > 1 else ''})"
    axes.plot(mean.index, mean, **look, marker=marker, markersize=3, linewidth=1.6, label=label)


def finish_panel(axes: Axes, measure: str, title: str) -> None:
    """Name the axis of a measure, and let scores run from 0 to 1."""
    axes.set(ylabel=title)
    axes.grid(alpha=0.25)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if not measure.endswith(UNBOUNDED):
        axes.set_ylim(0, 1)


def _check(histories: pd.DataFrame, name_column: str) -> None:
    if histories.empty:
        _refuse("no epoch", "at least one")
    if histories.duplicated([name_column, "seed", "epoch"]).any():
        _refuse("one epoch twice", f"each epoch of a {name_column} and seed once")


def _refuse(found: str, expected: str) -> None:
    raise InputError("histories of the trainings", found, expected, "Give the histories of all trainings.")
