"""What resizing does to labels: each case's own, made small and large again, against what they were.

The thesis worries that interpolation destroys small tumours (section 4.2) and does not measure it. This is
the best that any network can score whose predictions are brought back from the small size by repeating
pixels.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from medscale.files.gathered_slices import each_slice
from medscale.kits19.cases import CLASSES, read_segmentation
from medscale.kits19.confusion import count_confusion
from medscale.kits19.resizing import (
    KIDNEY,
    LABEL_INTERPOLATIONS,
    THESIS,
    TUMOUR,
    resize_as_thesis,
    resize_image,
    resize_labels,
)

FOREGROUND = {"kidney": KIDNEY, "tumour": TUMOUR}


def measure_label_damage(segmentations: Mapping[str, str | Path], sizes_px: Sequence[int]) -> pd.DataFrame:
    """Resize the labels of each case in every way, and compare them with the original.

    Parameters
    ----------
    segmentations : mapping of case to path
    sizes_px : sequence of int
        Rows and columns of the small slices.

    Returns
    -------
    DataFrame
        One row a case, size and interpolation: case, size_px, interpolation; kidney_dice and tumour_dice
        after resizing there and back (NaN where original and result have none of the class);
        kidney_volume_error_percent and tumour_volume_error_percent, positive where the class grew (NaN where
        the original has none); tumour_slices, and of them tumour_slices_lost, those without any tumour in
        the small size; unmatched_percent, the share of kidney and tumour in the small size for which the
        thesis's code finds no class (NaN for other interpolations).

    Raises
    ------
    InputError
        If a segmentation cannot be read.
    """
    rows = []
    for case, path in segmentations.items():
        slices = [labels for labels in each_slice(read_segmentation(path)[0]) if labels.any()]
        for size_px in sizes_px:
            for interpolation in LABEL_INTERPOLATIONS:
                row = {"case": case, "size_px": size_px, "interpolation": interpolation}
                rows.append(row | _compare(slices, size_px, interpolation))
    return pd.DataFrame(rows)


def summarise_damage(damage: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each size and interpolation, over cases.

    Returns
    -------
    DataFrame
        size_px, interpolation, cases; means over cases of Dice and of the sizes of volume errors (no sign);
        the lowest tumour Dice; sums of slices; the mean share of unmatched pixels.
    """
    signless = damage.assign(
        **{
            f"{name}_volume_error_percent": damage[f"{name}_volume_error_percent"].abs()
            for name in FOREGROUND
        }
    )
    return signless.groupby(["size_px", "interpolation"], sort=False, as_index=False).agg(
        cases=("case", "nunique"),
        kidney_dice=("kidney_dice", "mean"),
        tumour_dice=("tumour_dice", "mean"),
        lowest_tumour_dice=("tumour_dice", "min"),
        kidney_volume_error_percent=("kidney_volume_error_percent", "mean"),
        tumour_volume_error_percent=("tumour_volume_error_percent", "mean"),
        tumour_slices=("tumour_slices", "sum"),
        tumour_slices_lost=("tumour_slices_lost", "sum"),
        unmatched_percent=("unmatched_percent", "mean"),
    )


def _compare(slices: Sequence[np.ndarray], size_px: int, interpolation: str) -> dict[str, float | int]:
    """Return the measures of one case; slices without any class stay so, and are left out."""
    confusion = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
    small_px, unmatched_px, shown, lost = 0, 0, 0, 0
    for labels, small, unmatched in _shrink(slices, size_px, interpolation):
        confusion += count_confusion(labels[None], resize_image(small, labels.shape, "nearest")[None])
        small_px += int(np.count_nonzero(small))
        unmatched_px += unmatched
        has_tumour = bool((labels == TUMOUR).any())
        shown += has_tumour
        lost += has_tumour and not (small == TUMOUR).any()
    measures = {}
    for name, number in FOREGROUND.items():
        before, after = int(confusion[number].sum()), int(confusion[:, number].sum())
        measures[f"{name}_dice"] = _ratio(2 * int(confusion[number, number]), before + after)
        measures[f"{name}_volume_error_percent"] = 100 * _ratio(after - before, before)
    share = _ratio(unmatched_px, small_px) if interpolation == THESIS else float("nan")
    return measures | {
        "tumour_slices": shown,
        "tumour_slices_lost": int(lost),
        "unmatched_percent": 100 * share,
    }


def _shrink(
    slices: Sequence[np.ndarray], size_px: int, interpolation: str
) -> Iterator[tuple[np.ndarray, np.ndarray, int]]:
    """Yield each slice, the same in the small size, and how many small pixels match no class."""
    shape = (size_px, size_px)
    for labels in slices:
        if interpolation == THESIS:
            small, unmatched = resize_as_thesis(labels, shape)
            yield labels, small, int(np.count_nonzero(unmatched))
        else:
            yield labels, resize_labels(labels, shape, interpolation), 0


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
