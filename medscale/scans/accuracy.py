"""How often the class of an image is predicted, beside a predictor that only knows the frequent one."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from medscale.scans.intervals import ENDINGS, INTERVAL, GroupDraws, align_seeds, estimate_mean
from medscale.scans.sheets import find_leaked, list_classes, list_tumour_free, most_frequent

WHERE = "predictions of a classifier"
TRAIN, TEST = "train", "test"
MEASURED = ("train_accuracy", "test_accuracy", "train_detection_accuracy", "test_detection_accuracy")
FLOORS = ("floor_accuracy", "floor_detection_accuracy")
COLUMNS = [
    *(f"{name}{ending}" for name in MEASURED for ending in ENDINGS),
    *(f"{name}{ending}" for name in FLOORS for ending in INTERVAL),
]
WITH_COPY, WITHOUT_COPY = "test_accuracy_with_copy", "test_accuracy_without_copy"
COPY_COLUMNS = [f"{name}{ending}" for name in (WITH_COPY, WITHOUT_COPY) for ending in INTERVAL]


def summarise_accuracy(runs: Sequence[pd.DataFrame], bootstrap_samples: int, seed: int) -> dict[str, float]:
    """Return the accuracies of a training over its seeds, with intervals and floors.

    Parameters
    ----------
    runs : sequence of DataFrame
        Predictions of each seed, as `tabulate_predictions` returns them.
    bootstrap_samples : int
    seed : int
        The run's seed. Trainings on the same images are judged by the same draws.

    Returns
    -------
    dict of str to float
        `COLUMNS`, as `estimate_mean` names them. Accuracies are those of the class, and of detection: whether
        there is a tumour, of whatever class; the latter is missing where no image, or every image, is
        tumour-free. `floor_…` is what always answering the most frequent class of train (for detection, the
        more frequent of tumour and none) reaches on the test split.

    Raises
    ------
    InputError
        As `align_seeds`.
    """
    tables = align_seeds(runs, WHERE)
    free = _find_free(tables[0])
    summary: dict[str, float] = {}
    for split in (TRAIN, TEST):
        own = [table[table["split"] == split] for table in tables]
        draws = _draws(own[0], bootstrap_samples, seed)
        detected = _detected(own, free) if free else np.empty((len(own), 0))
        summary |= estimate_mean(f"{split}_accuracy", _right(own), draws)
        summary |= estimate_mean(f"{split}_detection_accuracy", detected, draws)
    draws = _draws(tables[0][tables[0]["split"] == TEST], bootstrap_samples, seed)
    for name, values in _floors(tables[0], free).items():
        summary |= estimate_mean(name, values, draws)
    return {name: summary[name] for name in COLUMNS}


def compare_accuracy(
    runs: Sequence[pd.DataFrame], others: Sequence[pd.DataFrame], bootstrap_samples: int, seed: int
) -> dict[str, float]:
    """Return by how much a training's test accuracy is above that of another one on the same images.

    Returns
    -------
    dict of str to float
        `difference`, `difference_low` and `difference_high`. Differences are taken image by image, each
        averaged over seeds before.

    Raises
    ------
    InputError
        As `align_seeds`, of all tables together.
    """
    tables = align_seeds([*runs, *others], WHERE)
    own = [table[table["split"] == TEST] for table in tables]
    right = _right(own)
    differences = right[: len(runs)].mean(axis=0) - right[len(runs) :].mean(axis=0)
    draws = _draws(own[0], bootstrap_samples, seed)
    estimate = estimate_mean("difference", differences[None], draws)
    return {f"difference{ending}": estimate[f"difference{ending}"] for ending in INTERVAL}


def split_by_copies(runs: Sequence[pd.DataFrame], bootstrap_samples: int, seed: int) -> dict[str, float]:
    """Return the test accuracy of images that have a copy in train, and of those that have none.

    Returns
    -------
    dict of str to float
        `COPY_COLUMNS`; what concerns copies is missing where there are none.

    Raises
    ------
    InputError
        As `align_seeds`.
    """
    tables = align_seeds(runs, WHERE)
    leaked = find_leaked(tables[0])
    parts = {WITH_COPY: leaked, WITHOUT_COPY: (tables[0]["split"] == TEST) & ~leaked}
    numbers: dict[str, float] = {}
    for name, chosen in parts.items():
        own = [table[chosen] for table in tables]
        numbers |= estimate_mean(name, _right(own), _draws(own[0], bootstrap_samples, seed))
    return {name: numbers[name] for name in COPY_COLUMNS}


def confuse_classes(runs: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return how many test images of each class are predicted as each class.

    Returns
    -------
    DataFrame
        true, predicted (all pairs of the classes, those without tumour first), images (mean over seeds).
    """
    tables = align_seeds(runs, WHERE)
    classes = list_classes(tables[0])
    own = pd.concat([table[table["split"] == TEST] for table in tables])
    pairs = pd.MultiIndex.from_product([classes, classes], names=["true", "predicted"])
    counts = own.groupby(["class", "predicted"]).size().reindex(pairs, fill_value=0) / len(tables)
    return counts.rename("images").reset_index()


def _draws(table: pd.DataFrame, samples: int, seed: int) -> GroupDraws:
    return GroupDraws.of(table["group"].tolist(), samples, seed, "images")


def _find_free(table: pd.DataFrame) -> list[str]:
    """Return the classes without tumour; none if that is all classes, where there is nothing to detect."""
    free = list_tumour_free(table)
    return free if len(free) < len(list_classes(table)) else []


def _right(tables: Sequence[pd.DataFrame]) -> np.ndarray:
    """Return whether each class is right, float64 of shape (seeds, images)."""
    return np.array([table["class"] == table["predicted"] for table in tables], float)


def _detected(tables: Sequence[pd.DataFrame], free: Sequence[str]) -> np.ndarray:
    """Return whether tumour or none is right, float64 of shape (seeds, images)."""
    found = [table["class"].isin(free) == table["predicted"].isin(free) for table in tables]
    return np.array(found, float)


def _floors(table: pd.DataFrame, free: Sequence[str]) -> dict[str, np.ndarray]:
    """Return whether the most frequent answer is right for each test image, shape (1, images)."""
    train, test = (table.loc[table["split"] == split, "class"] for split in (TRAIN, TEST))
    right = (test == most_frequent(train)).to_numpy(float)[None]
    detected = (test.isin(free) == most_frequent(train.isin(free))).to_numpy(float)[None]
    return {"floor_accuracy": right, "floor_detection_accuracy": detected if free else detected[:, :0]}
