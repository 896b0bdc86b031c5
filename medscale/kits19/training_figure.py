"""The course of all trainings side by side."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from medscale.errors import InputError
from medscale.kits19.figure_colours import style_of

PANELS = {
    "train_loss": "training loss",
    "validation_loss": "validation loss",
    "validation_weighted_jaccard": "validation weighted Jaccard",
    "validation_dice_kidney": "validation Dice of the kidney",
    "validation_dice_tumour": "validation Dice of the tumour",
    "learning_rate": "learning rate",
}
HISTORY_COLUMNS = ["network", "seed", "epoch", *PANELS]
COLUMNS_OF_PANELS = 3
FEW_EPOCHS = 15


def collect_histories(
    networks: Sequence[str], seeds: Sequence[int], histories: Sequence[Sequence[Mapping[str, float]]]
) -> pd.DataFrame:
    """Return one row for each epoch of each training, `HISTORY_COLUMNS`; what was not watched is missing.

    Parameters
    ----------
    networks, seeds
        Of each training.
    histories
        Their records, as in the model cards.
    """
    parts = [
        pd.DataFrame(list(history)).assign(network=network, seed=seed)
        for network, seed, history in zip(networks, seeds, histories, strict=True)
    ]
    return pd.concat(parts, ignore_index=True).reindex(columns=HISTORY_COLUMNS)


def draw_trainings(histories: pd.DataFrame) -> Figure:
    """Draw losses, scores on the validation data and learning rates over the epochs.

    A thin line is one seed, a strong one the mean of a network's seeds as far as all have come.

    Parameters
    ----------
    histories : DataFrame
        Of `collect_histories`. Networks are drawn in the order in which they come first, which figures of
        other tables share.

    Raises
    ------
    InputError
        If there is no epoch, or a training has one twice.
    """
    _check(histories)
    styles = style_of(list(dict.fromkeys(histories["network"])))
    known = [name for name in PANELS if histories[name].notna().any()]
    lines = -(-len(known) // COLUMNS_OF_PANELS)
    figure = Figure(figsize=(4.2 * COLUMNS_OF_PANELS, 3.1 * lines + 0.5), layout="constrained")
    panels = figure.subplots(lines, COLUMNS_OF_PANELS, squeeze=False, sharex=True).ravel()
    for axes, measure in zip(panels, known, strict=False):
        for network, style in styles.items():
            _draw_curves(axes, histories[histories["network"] == network], measure, network, style)
        axes.set(ylabel=PANELS[measure])
        axes.grid(alpha=0.25)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if measure.startswith("validation_") and not measure.endswith("loss"):
            axes.set_ylim(0, 1)
    for axes in panels[len(known) :]:
        axes.set_axis_off()
    for axes in panels[max(0, len(known) - COLUMNS_OF_PANELS) : len(known)]:
        axes.set_xlabel("epoch")
        axes.tick_params(labelbottom=True)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 5), frameon=False)
    return figure


def _draw_curves(axes: Axes, own: pd.DataFrame, measure: str, network: str, style: Mapping[str, str]) -> None:
    curves = own.pivot(index="epoch", columns="seed", values=measure)
    seeds = curves.shape[1]
    look = {"color": style["color"], "linestyle": style["linestyle"]}
    if seeds > 1:
        axes.plot(curves.index, curves, **look, linewidth=0.6, alpha=0.45)
    marker = style["marker"] if len(curves) <= FEW_EPOCHS else ""
    mean = curves.mean(axis=1, skipna=False)
    label = f"{network} ({seeds} seed{'s' if seeds > 1 else ''})"
    axes.plot(mean.index, mean, **look, marker=marker, markersize=3, linewidth=1.6, label=label)


def _check(histories: pd.DataFrame) -> None:
    if histories.empty:
        _refuse("no epoch", "at least one")
    if histories.duplicated(["network", "seed", "epoch"]).any():
        _refuse("one epoch twice", "each epoch of a network and seed once")


def _refuse(found: str, expected: str) -> None:
    raise InputError("histories of the trainings", found, expected, "Give the histories of all trainings.")
