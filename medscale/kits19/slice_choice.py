"""Which slices of a case are worth a picture, by rules that are stated beside it."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

TUMOUR = 2
LOST_DICE, KEPT_DICE = 0.1, 0.5
RULE = (
    f"Of all test slices with tumour, the one with the most of it that the first network loses (Dice of the "
    f"slice's tumour below {LOST_DICE:g}) and the second keeps (at least {KEPT_DICE:g})."
)


@dataclass(frozen=True)
class MissedTumour:
    """A slice on which one network sees a tumour and another does not.

    Attributes
    ----------
    case : str
    slice : int
    lost_dice, kept_dice : float
        Dice of the tumour in this slice, of the network that should lose it and of the one that should
        keep it.
    area_mm2 : float
        Of the true tumour in this slice.
    """

    case: str
    slice: int
    lost_dice: float
    kept_dice: float
    area_mm2: float

    @property
    def is_missed(self) -> bool:
        """Whether the one loses the tumour and the other keeps it."""
        return self.lost_dice < LOST_DICE and self.kept_dice >= KEPT_DICE


def spread_slices(labels: np.ndarray, count: int) -> list[int]:
    """Return so many slices from the first to the last with tumour, or with kidney if there is no tumour.

    Parameters
    ----------
    labels : ndarray, shape (slices, rows, columns)
        True labels; without any, slices are spread over the whole case.
    """
    for wanted in (labels == TUMOUR, labels > 0, np.ones_like(labels, bool)):
        shown = np.flatnonzero(wanted.any(axis=(1, 2)))
        if len(shown):
            # The ends show a few pixels alone, and are left out where there are enough slices between.
            places = (np.arange(count) + 0.5) / count * len(shown)
            return sorted(set(shown[places.astype(int)].tolist()))
    return []


def rate_slices(
    case: str, truth: np.ndarray, lost: np.ndarray, kept: np.ndarray, pixel_mm2: float
) -> list[MissedTumour]:
    """Measure the tumour in every slice that truly has some.

    Parameters
    ----------
    truth, lost, kept : ndarray of uint8, shape (slices, rows, columns)
        True labels, those of the network that should lose the tumour, and of the one that should keep it.
    pixel_mm2 : float
        Area of a pixel.
    """
    rated = []
    for number in np.flatnonzero((truth == TUMOUR).any(axis=(1, 2))):
        masks = [labels[number] == TUMOUR for labels in (truth, lost, kept)]
        dices = [_dice(masks[0], mask) for mask in masks[1:]]
        rated.append(MissedTumour(case, int(number), *dices, float(masks[0].sum() * pixel_mm2)))
    return rated


def choose_missed(rated: Iterable[MissedTumour]) -> MissedTumour | None:
    """Return the slice that `RULE` chooses, or else the one where the second network is furthest ahead.

    None if no slice has a tumour.
    """
    rated = list(rated)
    missed = [one for one in rated if one.is_missed]
    if missed:
        return max(missed, key=lambda one: one.area_mm2)
    return max(rated, key=lambda one: one.kept_dice - one.lost_dice, default=None)


def _dice(truth: np.ndarray, prediction: np.ndarray) -> float:
    return float(2 * (truth & prediction).sum() / (truth.sum() + prediction.sum()))
