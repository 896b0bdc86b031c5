"""Means over images of several seeds, with intervals that draw whole groups of duplicates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from medscale.bootstrap import NO_INTERVAL, draw_patients, percentile_interval
from medscale.errors import InputError

ENDINGS = ("", "_low", "_high", "_sd")
INTERVAL = ENDINGS[:3]


@dataclass(frozen=True)
class GroupDraws:
    """How often each image is in each draw of groups with replacement.

    Attributes
    ----------
    weights : ndarray of float64, shape (samples, images), or None
        None for fewer than two groups, of which no draw differs.
    """

    weights: np.ndarray | None

    @classmethod
    def of(cls, groups: Sequence[str], samples: int, seed: int, *names: str) -> "GroupDraws":
        """Draw the groups of images; the same ones for the same groups, `seed` and `names`.

        Parameters
        ----------
        groups : sequence of str
            Of each image.
        """
        unique, places = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
        weights = draw_patients(len(unique), samples, seed, "scans", *names)
        return cls(None if weights is None else weights[:, places])

    def interval(self, values: np.ndarray) -> tuple[float, float]:
        """Return the ends of the 95 % percentile interval of the mean of values, shape (images,)."""
        if self.weights is None:
            return NO_INTERVAL
        return percentile_interval(self.weights @ values / self.weights.sum(axis=1))


def estimate_mean(name: str, values: np.ndarray, draws: GroupDraws) -> dict[str, float]:
    """Return the mean over images and seeds, with how sure it is.

    An image's seeds are averaged before groups are drawn. The interval of a score that every image shares,
    such as an accuracy of 1, has no width: it says nothing about images unlike all of these.

    Parameters
    ----------
    name : str
        Of the numbers.
    values : ndarray, shape (seeds, images)

    Returns
    -------
    dict of str to float
        `{name}`, the ends of its 95 % interval `{name}_low` and `{name}_high`, and its standard deviation
        over seeds `{name}_sd`. Missing (NaN) are the interval of fewer than two groups, the deviation of
        one seed, and everything where there is no image.
    """
    if not values.size:
        return dict.fromkeys((f"{name}{ending}" for ending in ENDINGS), np.nan)
    seeds = values.mean(axis=1)
    spread = float(np.std(seeds, ddof=1)) if len(seeds) > 1 else np.nan
    numbers = (float(seeds.mean()), *draws.interval(values.mean(axis=0)), spread)
    return dict(zip((f"{name}{ending}" for ending in ENDINGS), numbers, strict=True))


def align_seeds(tables: Sequence[pd.DataFrame], where: str) -> list[pd.DataFrame]:
    """Return the tables of all seeds with their images in the same order.

    Raises
    ------
    InputError
        If there is none, or they do not hold the same images, each once, with the same group, split and
        class.
    """
    if not tables:
        raise InputError(where, "no table", "one for each seed", "Apply each trained network.")
    keys = ["image", "group", "split", "class"]
    ordered = [table.sort_values("image", ignore_index=True) for table in tables]
    for table in ordered:
        if table["image"].duplicated().any() or not table[keys].equals(ordered[0][keys]):
            expected = "the same images, groups, splits and classes for all seeds, each image once"
            raise InputError(where, "tables of different images", expected, "Apply all networks again.")
    return ordered
