"""The course of a training as curves."""

import pandas as pd
from matplotlib.figure import Figure

LABELS = {
    "train_loss": ("training patches", "cross entropy"),
    "validation_loss": ("patches of other patients", "cross entropy"),
    "validation_auc": ("patches of other patients", "area under the ROC curve"),
}


def draw_history(history: pd.DataFrame) -> Figure:
    """Draw losses, and the AUC where it was watched, over the epochs.

    Parameters
    ----------
    history : DataFrame
        One row an epoch with `epoch` and any of the columns in `LABELS`.
    """
    known = [name for name in LABELS if name in history]
    panels = list(dict.fromkeys(LABELS[name][1] for name in known))
    figure = Figure(figsize=(4.5 * len(panels), 3.2), layout="constrained")
    axes = dict(zip(panels, figure.subplots(1, len(panels), squeeze=False)[0], strict=True))
    for name in known:
        label, panel = LABELS[name]
        axes[panel].plot(history["epoch"], history[name], marker=".", label=label)
        axes[panel].set(xlabel="epoch", ylabel=panel)
        axes[panel].legend()
    return figure
