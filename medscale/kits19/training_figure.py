"""The course of all trainings side by side."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from medscale.figures import training_curves

PANELS = {
    "train_loss": "training loss",
    "validation_loss": "validation loss",
    "validation_weighted_jaccard": "validation weighted Jaccard",
    "validation_dice_kidney": "validation Dice of the kidney",
    "validation_dice_tumour": "validation Dice of the tumour",
    "learning_rate": "learning rate",
}
HISTORY_COLUMNS = ["network", "seed", "epoch", *PANELS]


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
    return training_curves.collect_histories(networks, seeds, histories, list(PANELS))


def draw_trainings(histories: pd.DataFrame) -> Figure:
    """Draw losses, scores on the validation data and learning rates over the epochs, as `draw_curves` does.

    Parameters
    ----------
    histories : DataFrame
        Of `collect_histories`.
    """
    return training_curves.draw_curves(histories, PANELS)
