"""Scores by the number of training images, and by the size of images."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from medscale.scans import accuracy
from medscale.scans.classification_table import Predictions
from medscale.scans.intervals import ENDINGS, INTERVAL, GroupDraws, align_seeds, estimate_mean
from medscale.scans.segmentation_table import WHERE, Scores
from medscale.scans.subsets import draw_share
from medscale.scans.trainings import MaskTraining, Training

TEST = accuracy.TEST
ACCURACIES = [name for name in accuracy.COLUMNS if name.startswith(("test_", "floor_"))]
DATA_COLUMNS = ["network", "share", "seeds", "train_images", "test_images", *ACCURACIES]
OVERLAPS = ("test_iou", "test_iou_original")
OVERLAP_COLUMNS = [f"{name}{ending}" for name in OVERLAPS for ending in ENDINGS]
FLOOR_COLUMNS = [f"floor_{name.removeprefix('test_')}{ending}" for name in OVERLAPS for ending in INTERVAL]
IMAGE_COLUMNS = ["network", "loss", "size_px", "seeds", *ACCURACIES, *OVERLAP_COLUMNS, *FLOOR_COLUMNS]


def tabulate_data_sizes(
    trainings: Sequence[Training],
    predictions: Predictions,
    drawn_by: Sequence[int],
    bootstrap_samples: int,
    seed: int,
) -> pd.DataFrame:
    """Return test accuracy by the share of training images, a row for each network or method and share.

    Parameters
    ----------
    trainings : sequence of Training
    predictions : mapping of str to sequence of DataFrame
        As for `tabulate_classification`.
    drawn_by : sequence of int
        The seeds that the trainings of run 0, 1, ... got, with which `draw_share` drew their images.
    bootstrap_samples : int
    seed : int
        The run's seed.

    Returns
    -------
    DataFrame
        `DATA_COLUMNS`, by network in the order in which they come first, then by share. `train_images` is
        the mean over seeds.

    Raises
    ------
    InputError
        As `summarise_accuracy`.
    """
    rows = []
    for training in trainings:
        runs = predictions[training.name]
        train = runs[0][runs[0]["split"] == accuracy.TRAIN]
        # Names of digits come back from a file as numbers, which are drawn in another order.
        train = train.assign(group=train["group"].astype(str))
        counts = [len(draw_share(train, training.share, own)) for own in drawn_by[: len(runs)]]
        row = {"network": training.network, "share": training.share, "seeds": len(runs)}
        row |= {"train_images": float(np.mean(counts)), "test_images": int((runs[0]["split"] == TEST).sum())}
        rows.append(row | accuracy.summarise_accuracy(runs, bootstrap_samples, seed))
    return _sort(pd.DataFrame(rows, columns=DATA_COLUMNS), "share")


def tabulate_image_sizes(
    classifiers: Sequence[Training],
    predictions: Predictions,
    segmenters: Sequence[MaskTraining],
    scores: Scores,
    empty: Mapping[int, pd.DataFrame],
    bootstrap_samples: int,
    seed: int,
) -> pd.DataFrame:
    """Return what the size of images does to a classifier's accuracy and to the IoU of outlines.

    On its own grid, a small image is easier to outline; on that of the original picture, all sizes do the
    same task.

    Parameters
    ----------
    classifiers, segmenters
        Trainings that differ in size; those that outline tumours without aid.
    predictions, scores
        As for `tabulate_classification` and `tabulate_segmentation`.
    empty : mapping of int to DataFrame
        Of `score_empty`, by the size of images.
    bootstrap_samples : int
    seed : int
        The run's seed.

    Returns
    -------
    DataFrame
        `IMAGE_COLUMNS`, by network and then by size. Classifiers have no loss and no IoU, and networks that
        outline tumours no accuracy.

    Raises
    ------
    InputError
        As `align_seeds`.
    """
    rows = []
    for training in classifiers:
        runs = predictions[training.name]
        row = {"network": training.network, "size_px": training.size_px, "seeds": len(runs)}
        rows.append(row | accuracy.summarise_accuracy(runs, bootstrap_samples, seed))
    for training in segmenters:
        runs = scores[training.name]
        row = {"network": training.network, "loss": training.loss, "size_px": training.size_px}
        row |= {"seeds": len(runs), **_overlaps(runs, bootstrap_samples, seed)}
        if training.size_px in empty:
            floors = _overlaps([empty[training.size_px]], bootstrap_samples, seed)
            row |= {name.replace("test_", "floor_"): value for name, value in floors.items()}
        rows.append(row)
    return _sort(pd.DataFrame(rows, columns=IMAGE_COLUMNS), "size_px")


def _overlaps(runs: Sequence[pd.DataFrame], samples: int, seed: int) -> dict[str, float]:
    tables = [table[table["split"] == TEST] for table in align_seeds(runs, WHERE)]
    draws = GroupDraws.of(tables[0]["group"].tolist(), samples, seed, "outlines")
    numbers: dict[str, float] = {}
    for name in OVERLAPS:
        values = np.array([table[name.removeprefix("test_")] for table in tables], float)
        numbers |= estimate_mean(name, values, draws)
    return numbers


def _sort(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return rows by network, in the order in which they come first, and then by a column."""
    order = {network: place for place, network in enumerate(dict.fromkeys(table["network"]))}
    ranked = table.assign(rank=table["network"].map(order)).sort_values(["rank", column], kind="stable")
    return ranked.drop(columns="rank").reset_index(drop=True)
