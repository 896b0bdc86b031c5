"""The report's classifier on each collection, with and without copies of test images in train."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from medscale.scans import accuracy
from medscale.scans.report_tables import REPORTED_ACCURACY
from medscale.scans.sheets import BY_GROUP, BY_IMAGE, count_leaked
from medscale.scans.trainings import Training

SPLITS = ("train", "validation", "test")
HEAD = ["collection", "divided_by", "network", "size_px", "seeds"]
COUNTS = [*(f"{split}_images" for split in SPLITS), "test_images_with_copy_in_train"]
REPORTED = ["report_train_accuracy", "report_test_accuracy", "report_test_detection_accuracy"]
COLUMNS = [*HEAD, *COUNTS, *accuracy.COLUMNS, *accuracy.COPY_COLUMNS, *REPORTED]
CONFUSION_COLUMNS = ["collection", "divided_by", "true", "predicted", "images"]

# Predictions of all seeds, by the names of the trainings.
Predictions = Mapping[str, Sequence[pd.DataFrame]]


def tabulate_classification(
    trainings: Sequence[Training], predictions: Predictions, bootstrap_samples: int, seed: int
) -> pd.DataFrame:
    """Return one row for each training.

    Parameters
    ----------
    trainings : sequence of Training
    predictions : mapping of str to sequence of DataFrame
        By their names: what each seed predicts for all images of the sheet (`tabulate_predictions`).
    bootstrap_samples : int
    seed : int
        The run's seed.

    Returns
    -------
    DataFrame
        `COLUMNS`. `divided_by` is `group` where copies of an image share a split, else `image`; accuracies
        and floors are those of `summarise_accuracy`, those of images with and without a copy in train those
        of `split_by_copies`; beside them is what the report prints of its own classifier on its own splits.

    Raises
    ------
    InputError
        As `summarise_accuracy`.
    """
    rows = []
    for training in trainings:
        runs = predictions[training.name]
        scores = accuracy.summarise_accuracy(runs, bootstrap_samples, seed)
        scores |= accuracy.split_by_copies(runs, bootstrap_samples, seed)
        rows.append(_head(training, len(runs)) | _counts(runs[0]) | scores | _reported(training.collection))
    return pd.DataFrame(rows, columns=COLUMNS)


def tabulate_confusion(trainings: Sequence[Training], predictions: Predictions) -> pd.DataFrame:
    """Return how many test images of each class are predicted as each class.

    Returns
    -------
    DataFrame
        `CONFUSION_COLUMNS`: all pairs of classes for each training; images are means over seeds.
    """
    parts = [
        confused.assign(collection=training.collection, divided_by=_divided_by(training))
        for training in trainings
        for confused in [accuracy.confuse_classes(predictions[training.name])]
    ]
    return pd.concat(parts, ignore_index=True)[CONFUSION_COLUMNS]


def _head(training: Training, seeds: int) -> dict[str, object]:
    return {
        "collection": training.collection,
        "divided_by": _divided_by(training),
        "network": training.network,
        "size_px": training.size_px,
        "seeds": seeds,
    }


def _divided_by(training: Training) -> str:
    return BY_GROUP if training.guarded else BY_IMAGE


def _counts(table: pd.DataFrame) -> dict[str, int]:
    numbers = [*(int((table["split"] == split).sum()) for split in SPLITS), count_leaked(table)]
    return dict(zip(COUNTS, numbers, strict=True))


def _reported(collection: str) -> dict[str, float]:
    printed = REPORTED_ACCURACY.get(collection)
    numbers = (printed.train, printed.test, printed.detection) if printed else (np.nan,) * 3
    return dict(zip(REPORTED, numbers, strict=True))
