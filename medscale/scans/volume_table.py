"""What images, age and sex tell, each alone and together, as a table."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from medscale.errors import InputError
from medscale.scans.intervals import ENDINGS, INTERVAL, GroupDraws, align_seeds, estimate_mean
from medscale.scans.sheets import most_frequent

BOTH, FLOOR = "both", "majority"
ORDER = ("image", "demographics", BOTH, FLOOR)
SPLITS = ("train", "test")
DIFFERENCE = "test_difference_to_both"
COLUMNS = [
    *("inputs", "seeds", "train_subjects", "test_subjects"),
    *(f"{split}_accuracy{ending}" for split in SPLITS for ending in ENDINGS),
    *(f"{DIFFERENCE}{ending}" for ending in INTERVAL),
]


@dataclass(frozen=True)
class VolumeRun:
    """One training of the comparison.

    Attributes
    ----------
    inputs : {"image", "demographics", "both"}
        What the network is shown.
    seed : int
    """

    inputs: str
    seed: int


def compare_inputs(
    runs: Sequence[VolumeRun], predictions: Sequence[pd.DataFrame], bootstrap_samples: int, seed: int
) -> pd.DataFrame:
    """Return one row for each kind of inputs, and below them one for who always says the same.

    An accuracy is the mean over subjects and seeds. `_low` and `_high` are the ends of its 95 % percentile
    bootstrap interval, which draws subjects, the same ones for all rows; a subject's seeds are averaged
    before. `_sd` is the standard deviation over seeds, missing for a single one. `test_difference_to_both`
    is the accuracy less that of the network that is shown both, paired subject by subject: an interval that
    lies below 0 says that the other part tells something. `majority` always says the most frequent class of
    train.

    Parameters
    ----------
    runs : sequence of VolumeRun
    predictions : sequence of DataFrame
        Of `classify_subjects` (as read back, if they were written), in the same order.
    bootstrap_samples : int
    seed : int
        The run's seed.

    Returns
    -------
    DataFrame
        `COLUMNS`; `image`, `demographics` and `both` where there are such runs, then `majority`. Without runs
        of `both` there are no differences.

    Raises
    ------
    InputError
        If there is no run, or the runs are not of the same subjects.
    """
    tables = align_seeds([_as_images(table) for table in predictions], "predictions for subjects")
    own = {name: [t for run, t in zip(runs, tables, strict=True) if run.inputs == name] for name in ORDER[:3]}
    right = {name: np.stack([_is_right(table) for table in own[name]]) for name in own if own[name]}
    if len(tables) > sum(map(len, own.values())):
        names = ", ".join(sorted({run.inputs for run in runs}))
        raise InputError("runs", f"inputs {names}", f"some of {', '.join(ORDER[:3])}", "Correct them.")
    frequent = most_frequent(tables[0].loc[tables[0]["split"] == "train", "class"])
    floor = (tables[0]["class"] == frequent).to_numpy(float)[None]
    measure = _Measure.of(tables[0], bootstrap_samples, seed)
    rows = [
        {"inputs": name, "seeds": len(values)} | measure(values, None if name == BOTH else right.get(BOTH))
        for name, values in right.items()
    ]
    rows.append({"inputs": FLOOR} | measure(floor, right.get(BOTH)))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"seeds": "Int64"})


@dataclass(frozen=True)
class _Measure:
    """Subjects of each split, and how often each is in each draw."""

    members: dict[str, np.ndarray]
    draws: dict[str, GroupDraws]

    @classmethod
    def of(cls, table: pd.DataFrame, samples: int, seed: int) -> "_Measure":
        members = {split: (table["split"] == split).to_numpy() for split in SPLITS}
        draws = {
            split: GroupDraws.of(table.loc[own, "image"], samples, seed, "volumes", split)
            for split, own in members.items()
        }
        return cls(members, draws)

    def __call__(self, right: np.ndarray, both: np.ndarray | None) -> dict[str, float]:
        """Return the numbers of a row; `right` and `both` are of the shape (seeds, subjects)."""
        row: dict[str, float] = {}
        for split, own in self.members.items():
            row[f"{split}_subjects"] = int(own.sum())
            row |= estimate_mean(f"{split}_accuracy", right[:, own], self.draws[split])
        if both is not None:
            own = self.members["test"]
            difference = (right[:, own].mean(axis=0) - both[:, own].mean(axis=0))[None]
            row |= estimate_mean(DIFFERENCE, difference, self.draws["test"])
        return row


def _as_images(predictions: pd.DataFrame) -> pd.DataFrame:
    return predictions.rename(columns={"subject": "image"}).assign(group=predictions["subject"])


def _is_right(table: pd.DataFrame) -> np.ndarray:
    return (table["predicted"] == table["class"]).to_numpy(float)
