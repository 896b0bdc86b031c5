"""Every score of one case, from its true and its predicted labels."""

from collections.abc import Mapping

import numpy as np

from medscale.kits19.confusion import COLUMNS, count_confusion
from medscale.kits19.overlap import dice, jaccard
from medscale.kits19.regions import REGIONS, TOLERANCES_MM
from medscale.kits19.surface import Spacing, bounding_box, surface_dice

MM3_PER_ML = 1000.0


def score_case(
    truth: np.ndarray,
    prediction: np.ndarray,
    spacing_mm: Spacing,
    tolerances_mm: Mapping[str, float] = TOLERANCES_MM,
) -> dict[str, float]:
    """Score a prediction on the grid of its case.

    Parameters
    ----------
    truth, prediction : ndarray of uint8, shape (slices, rows, columns)
        Labels 0, 1 and 2.
    spacing_mm : (slice, row, column)
    tolerances_mm : mapping of str to float
        Of the surface Dice, for each of `REGIONS`.

    Returns
    -------
    dict of str to float
        For each region of `REGIONS`: `dice_…`, `jaccard_…` and `surface_dice_…` in [0, 1], `volume_ml_…` of
        the truth and `volume_error_ml_…`, positive where too much is predicted; and the counts of
        `confusion.COLUMNS`. Dice of kidney with tumour and of tumour are KiTS19's official pair.

    Raises
    ------
    ValueError
        As `count_confusion`.
    """
    confusion = count_confusion(truth, prediction)
    ml = float(np.prod(spacing_mm)) / MM3_PER_ML
    box = bounding_box((truth > 0) | (prediction > 0))
    # A copy, so that the regions below are searched in memory that lies together.
    truth, prediction = np.ascontiguousarray(truth[box]), np.ascontiguousarray(prediction[box])
    scores: dict[str, float] = {}
    for region, labels in REGIONS.items():
        own = list(labels)
        volume, called = confusion[own].sum() * ml, confusion[:, own].sum() * ml
        masks = [np.isin(values, own) for values in (truth, prediction)]
        scores |= {
            f"dice_{region}": dice(confusion, labels),
            f"jaccard_{region}": jaccard(confusion, labels),
            f"surface_dice_{region}": surface_dice(*masks, spacing_mm, tolerances_mm[region]),
            f"volume_ml_{region}": float(volume),
            f"volume_error_ml_{region}": float(called - volume),
        }
    return scores | dict(zip(COLUMNS, confusion.ravel().tolist(), strict=True))
