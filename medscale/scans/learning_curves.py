"""The course of the trainings: of classifiers side by side, and of outlines with and without aid by loss."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from medscale.errors import InputError
from medscale.figures.colours import style_of
from medscale.figures.training_curves import collect_histories, draw_curves, draw_training, finish_panel

CLASSIFIER_PANELS = {
    "train_loss": "training loss",
    "validation_loss": "validation loss",
    "train_accuracy": "training accuracy",
    "validation_accuracy": "validation accuracy",
}
OUTLINE_PANELS = {
    "train_loss": "training loss",
    "validation_loss": "validation loss",
    "train_iou": "training IoU",
    "validation_iou": "validation IoU",
}
NAME = "training"

History = Sequence[Mapping[str, Any]]


def collect_classifier_histories(
    names: Sequence[str], seeds: Sequence[int], histories: Sequence[History]
) -> pd.DataFrame:
    """Return a row for each epoch of each run: training, seed, epoch and `CLASSIFIER_PANELS`.

    Parameters
    ----------
    names, seeds
        Of each run.
    histories
        Their records, as in the model cards.
    """
    return collect_histories(names, seeds, histories, list(CLASSIFIER_PANELS), NAME)


def collect_outline_histories(
    losses: Sequence[str], aids: Sequence[str], seeds: Sequence[int], histories: Sequence[History]
) -> pd.DataFrame:
    """Return a row for each epoch of each run: loss, training (its aid), seed, epoch and `OUTLINE_PANELS`.

    Parameters
    ----------
    losses, aids, seeds
        Of each run.
    histories
        Their records, as in the model cards.
    """
    parts = [
        collect_histories([aid], [seed], [history], list(OUTLINE_PANELS), NAME).assign(loss=loss)
        for loss, aid, seed, history in zip(losses, aids, seeds, histories, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)[["loss", NAME, "seed", "epoch", *OUTLINE_PANELS]]


def draw_classifier_curves(histories: pd.DataFrame) -> Figure:
    """Draw losses and accuracies of classifiers over the epochs, as `draw_curves` does.

    Parameters
    ----------
    histories : DataFrame
        Of `collect_classifier_histories`.
    """
    return draw_curves(histories, CLASSIFIER_PANELS, NAME, columns=2)


def draw_outline_curves(histories: pd.DataFrame) -> Figure:
    """Draw a row of panels for each loss, since losses have different scales; a line for each aid.

    Parameters
    ----------
    histories : DataFrame
        Of `collect_outline_histories`.

    Raises
    ------
    InputError
        If there is no epoch.
    """
    if histories.empty:
        mend = "Give the histories of all trainings."
        raise InputError("histories of the trainings", "no epoch", "at least one", mend)
    losses = list(dict.fromkeys(histories["loss"]))
    styles = style_of(list(dict.fromkeys(histories[NAME])))
    shown = [measure for measure in OUTLINE_PANELS if histories[measure].notna().any()]
    size = (3.3 * len(shown), 2.7 * len(losses) + 0.5)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(len(losses), len(shown), squeeze=False, sharex=True)
    for row, loss in zip(panels, losses, strict=True):
        for axes, measure in zip(row, shown, strict=True):
            for name, style in styles.items():
                own = histories[(histories["loss"] == loss) & (histories[NAME] == name)]
                if len(own):
                    draw_training(axes, own, measure, name, style)
            finish_panel(axes, measure, OUTLINE_PANELS[measure])
        row[0].set_title(f"loss: {loss}", loc="left", fontsize=10)
    for axes in panels[-1]:
        axes.set_xlabel("epoch")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    return figure
