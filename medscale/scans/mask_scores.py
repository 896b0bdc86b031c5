"""How well outlines of tumours agree with the masks of an image, with and without a classifier's aid."""

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from medscale.errors import InputError
from medscale.scans.images import HALF, read_mask, stretch_grey
from medscale.scans.prepared_images import PreparedImages
from medscale.scans.sheets import check_in_sheet, split_masks

# A probability of 0.5 in 255ths, where values between those of pixels are cut.
EVEN = 127.5
SCORES = ["iou", "dice", "iou_aided", "dice_aided", "iou_original", "iou_original_aided"]
COLUMNS = ["image", "group", "split", "class", "called_normal", *SCORES]


def score_masks(
    probabilities: Mapping[str, np.ndarray],
    images: PreparedImages,
    sheet: pd.DataFrame,
    emptied: Collection[str] = (),
) -> pd.DataFrame:
    """Return how well each image of a sheet is outlined.

    A pixel counts as tumour from a probability of 0.5 on. Where neither mask nor outline marks a pixel, IoU
    and Dice are 1. A tumour that fills no pixel of the prepared image by half is on the mask at original
    size alone.

    Parameters
    ----------
    probabilities : mapping of str to ndarray of uint8, shape (size, size)
        Of each image of the sheet, as `read_probabilities` returns them.
    images : PreparedImages
        All images of the sheet at least.
    sheet : DataFrame
        Scan sheet; the masks that it names are read at original size.
    emptied : collection of str
        Images that a classifier calls tumour-free.

    Returns
    -------
    DataFrame
        image, group, split, class (of the sheet, in its order), called_normal (bool, whether it is
        emptied), iou, dice (on the grid of the prepared images), iou_aided, dice_aided (of the outline after
        emptying), iou_original, iou_original_aided (probabilities stretched to the original picture).

    Raises
    ------
    InputError
        If an image has no probabilities of the right size or is not prepared, an emptied one is not in the
        sheet, or as `read_mask`.
    """
    check_in_sheet(emptied, sheet)
    normal = set(emptied)
    rows = []
    for row, place in zip(sheet.to_dict("records"), images.find(sheet["image"]), strict=True):
        name = row["image"]
        values = _find_values(probabilities, name, images.size_px)
        original = read_mask(split_masks(row["masks"]), tuple(images.shapes[place].tolist()))
        scores = _score_outline(values, images.masks[place], original, called_normal=name in normal)
        rows.append({column: row[column] for column in COLUMNS[:4]} | scores)
    return pd.DataFrame(rows, columns=COLUMNS)


def score_empty(images: PreparedImages, sheet: pd.DataFrame) -> pd.DataFrame:
    """Return the table of `score_masks` for outlines that never mark anything, which any network should beat.

    No image is called normal in it: emptying changes nothing.
    """
    nothing = np.zeros((images.size_px, images.size_px), np.uint8)
    return score_masks(dict.fromkeys(sheet["image"], nothing), images, sheet)


def measure_overlap(predicted: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """Return IoU and Dice of two masks; both are 1 where neither marks a pixel.

    Parameters
    ----------
    predicted, true : ndarray of bool or of 0 and 1, the same shape
    """
    predicted, true = predicted.astype(bool), true.astype(bool)
    both, total = np.count_nonzero(predicted & true), np.count_nonzero(predicted) + np.count_nonzero(true)
    if not total:
        return 1.0, 1.0
    return both / (total - both), 2 * both / total


def _score_outline(
    values: np.ndarray, mask: np.ndarray, original: np.ndarray, *, called_normal: bool
) -> dict[str, bool | float]:
    iou, dice = measure_overlap(values >= HALF, mask)
    stretched = stretch_grey(values.astype(np.float32), original.shape) >= EVEN
    iou_original, _ = measure_overlap(stretched, original)
    emptied, emptied_original = ((not one.any()) * 1.0 for one in (mask, original))
    return {
        "called_normal": called_normal,
        "iou": iou,
        "dice": dice,
        "iou_aided": emptied if called_normal else iou,
        "dice_aided": emptied if called_normal else dice,
        "iou_original": iou_original,
        "iou_original_aided": emptied_original if called_normal else iou_original,
    }


def _find_values(probabilities: Mapping[str, np.ndarray], name: str, size_px: int) -> np.ndarray:
    values = probabilities.get(name)
    if values is None or values.shape != (size_px, size_px):
        found = "no probabilities" if values is None else f"probabilities of shape {values.shape}"
        expected = f"those of {size_px} x {size_px} pixels, as the prepared image has"
        raise InputError(f"image {name}", found, expected, "Outline the images of this sheet anew.")
    return values
