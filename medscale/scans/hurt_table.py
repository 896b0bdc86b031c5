"""Test images with a tumour that the classifier calls normal: where emptying outlines can only hurt."""

from collections.abc import Sequence

import pandas as pd

from medscale.scans.segmentation_table import NONE, PREDICTION, TEST, TRAINING, Scores
from medscale.scans.sheets import list_tumour_free
from medscale.scans.trainings import AIDED, PLAIN, MaskTraining

KEYS = ["loss", "seed", "image", "class"]
COLUMNS = [*KEYS, *(f"iou_{aid}" for aid in (NONE, PREDICTION, TRAINING))]


def list_hurt(trainings: Sequence[MaskTraining], scores: Scores) -> pd.DataFrame:
    """Return a row for each such image, loss and seed.

    Parameters
    ----------
    trainings, scores
        As for `tabulate_segmentation`.

    Returns
    -------
    DataFrame
        `COLUMNS`: IoU without aid, with the outline emptied in prediction, and of the network that was aided
        in training too. Missing where there is no such network.
    """
    rows = []
    for loss in dict.fromkeys(training.loss for training in trainings):
        own = {training.aid: training.name for training in trainings if training.loss == loss}
        plain, aided = (scores.get(own.get(kind, ""), ()) for kind in (PLAIN, AIDED))
        for seed in range(max(len(plain), len(aided))):
            columns = {}
            if seed < len(plain):
                missed = _find_missed(plain[seed])
                columns |= {NONE: missed["iou"], PREDICTION: missed["iou_aided"]}
            if seed < len(aided):
                columns[TRAINING] = _find_missed(aided[seed])["iou_aided"]
            found = pd.DataFrame({f"iou_{aid}": column for aid, column in columns.items()})
            rows.append(found.reset_index().assign(loss=loss, seed=seed))
    if not rows:
        return pd.DataFrame(columns=COLUMNS)
    return pd.concat(rows, ignore_index=True).reindex(columns=COLUMNS)


def _find_missed(table: pd.DataFrame) -> pd.DataFrame:
    tumour = ~table["class"].isin(list_tumour_free(table))
    missed = tumour & table["called_normal"].astype(bool) & (table["split"] == TEST)
    return table[missed].set_index(["image", "class"])
