"""Fewer training images, to see what a network makes of little data."""

from collections.abc import Iterable

import pandas as pd

from medscale.errors import InputError
from medscale.scans.sheets import most_frequent
from medscale.seeds import generator


def draw_share(train: pd.DataFrame, share: float, seed: int) -> pd.DataFrame:
    """Return the rows of whole groups, about this share of the groups of each class.

    A group of two classes counts for that of most of its images. Of each class one group at least is drawn;
    a class that no group counts for is drawn from those that hold an image of it. With the same seed, what
    a smaller share draws is part of what a larger one draws.

    Parameters
    ----------
    train : DataFrame
        Rows of the scan sheet that may be learnt from.
    share : float
        More than 0, at most 1; the whole is returned as it is.
    seed : int

    Returns
    -------
    DataFrame
        Rows of `train`, in their order.

    Raises
    ------
    InputError
        For a share out of its range.
    """
    if not 0 < share <= 1:
        raise InputError(
            "the share of training images", f"{share:g}", "more than 0, at most 1", "Correct it."
        )
    if share == 1:
        return train
    labels = train.groupby("group")["class"].agg(most_frequent)
    drawn: set[str] = set()
    for label in train["class"].unique():
        own = labels.index[labels == label] if (labels == label).any() else _holding(train, label)
        order = generator(seed, "share", label).permutation(sorted(own))
        drawn |= set(order[: max(1, round(share * len(order)))])
    return train[train["group"].isin(drawn)]


def _holding(train: pd.DataFrame, label: str) -> Iterable[str]:
    return train.loc[train["class"] == label, "group"].unique()
