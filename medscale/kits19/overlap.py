"""Dice and Jaccard of a region, from the counts of a case.

A region that is neither there nor predicted scores 1, and one that is only there or only predicted scores 0,
as in KiTS23's evaluation. KiTS19's own gives NaN in the first case.
"""

from collections.abc import Sequence

import numpy as np


def dice(confusion: np.ndarray, labels: Sequence[int]) -> float:
    """Return 2 |truth and prediction| / (|truth| + |prediction|) of a region.

    Parameters
    ----------
    confusion : ndarray of int, shape (3, 3)
        Of `count_confusion`.
    labels : sequence of int
        The classes that make up the region.
    """
    both, truth, prediction = _sizes(confusion, labels)
    return float(2 * both / (truth + prediction)) if truth + prediction else 1.0


def jaccard(confusion: np.ndarray, labels: Sequence[int]) -> float:
    """Return |truth and prediction| / |truth or prediction| of a region; parameters as for `dice`."""
    both, truth, prediction = _sizes(confusion, labels)
    return float(both / (truth + prediction - both)) if truth + prediction else 1.0


def _sizes(confusion: np.ndarray, labels: Sequence[int]) -> tuple[int, int, int]:
    """Return the voxels of the region in both, in the truth and in the prediction."""
    own = list(labels)
    return confusion[np.ix_(own, own)].sum(), confusion[own].sum(), confusion[:, own].sum()
