"""Slices and their labels in another size.

Of the interpolations, only `area` averages all pixels that a smaller one covers. The others look at one,
four or sixteen pixels around its middle, whatever the scale, so that what lies between is lost: 512 pixels
made 128 with `linear` keep 4 of 16.
"""

from collections.abc import Callable, Iterator

import cv2
import numpy as np

from medscale.files.gathered_slices import each_slice
from medscale.kits19.cases import CLASSES

INTERPOLATIONS = {
    "nearest": cv2.INTER_NEAREST_EXACT,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
    "area": cv2.INTER_AREA,
}
# What the thesis's code does: a class is where its indicator, resized with `cubic`, exceeds the threshold.
THESIS, THESIS_THRESHOLD = "thesis", 0.20
LABEL_INTERPOLATIONS = (*INTERPOLATIONS, THESIS)
# Slices that are resized together, where they lie side by side.
SLAB = 64
BACKGROUND, KIDNEY, TUMOUR = range(len(CLASSES))


def resize_image(image: np.ndarray, shape: tuple[int, int], interpolation: str) -> np.ndarray:
    """Return a slice with (rows, columns) of `shape`.

    Parameters
    ----------
    image : ndarray of uint8, int16 or float32, shape (rows, columns)
    interpolation : str
        A key of `INTERPOLATIONS`. Pixels are squares, and the corners of both images are the same.
        `cubic` reaches beyond the values of the image.
    """
    return cv2.resize(image, shape[::-1], interpolation=INTERPOLATIONS[interpolation])


def resize_each(
    volume: np.ndarray,
    shape: tuple[int, int],
    interpolation: str,
    convert: Callable[[np.ndarray], np.ndarray],
) -> Iterator[np.ndarray]:
    """Yield the slices of a volume with (rows, columns) of `shape`.

    Where a pixel's neighbour in memory lies in the next slice, as in KiTS19, many slices are resized at
    once: first the rows of every column, then its columns, which OpenCV does one after the other too. The
    large slices never have to be gathered.

    Parameters
    ----------
    volume : ndarray, shape (slices, rows, columns)
        With any strides.
    interpolation : str
        As for `resize_image`.
    convert : callable
        Turns values of the volume, pixel by pixel, into those that are resized, as float32.
    """
    slices, rows, columns = np.abs(volume.strides)
    enlarged = shape[0] > volume.shape[1] or shape[1] > volume.shape[2]
    if slices > min(rows, columns) or enlarged:
        # Enlarging, OpenCV's area takes both directions together.
        for one in each_slice(volume):
            yield resize_image(convert(one), shape, interpolation)
    elif columns < rows:
        turned = resize_each(volume.transpose(0, 2, 1), shape[::-1], interpolation, convert)
        yield from (one.T for one in turned)
    else:
        for first in range(0, len(volume), SLAB):
            yield from _resize_across(volume[first : first + SLAB], shape, interpolation, convert)


def resize_labels(labels: np.ndarray, shape: tuple[int, int], interpolation: str) -> np.ndarray:
    """Return labels with (rows, columns) of `shape`.

    With `nearest` each pixel takes one label. With `linear`, `cubic` and `area` the indicator of each class
    is resized for itself, and the largest share wins; of equal ones, as they are common where a pixel is the
    mean of 4 × 4, the class with the higher number, which is the rarer. `thesis` is described at
    `resize_as_thesis`.

    Parameters
    ----------
    labels : ndarray of uint8, shape (rows, columns)
        0 background, 1 kidney, 2 tumour.
    interpolation : str
        One of `LABEL_INTERPOLATIONS`.

    Returns
    -------
    ndarray of uint8
    """
    if not labels.any():
        return np.zeros(shape, np.uint8)
    if interpolation == "nearest":
        return resize_image(labels, shape, interpolation)
    if interpolation == THESIS:
        return resize_as_thesis(labels, shape)[0]
    shares = _resize_indicators(labels, shape, interpolation)
    return (TUMOUR - np.argmax(shares[::-1], axis=0)).astype(np.uint8)


def resize_as_thesis(labels: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Resize labels as the thesis's code does.

    Kidney is where its own indicator exceeds 0.20 after cubic resizing, and so is tumour. Where both do,
    along their border, the code finds no class, and its one-hot vector is all zeros: the loss leaves these
    pixels out. Here they are kidney, as they are in its count for class weights, which takes the first of
    equal entries in the thesis's order kidney, background, tumour.

    Returns
    -------
    labels : ndarray of uint8, of `shape`
    unmatched : ndarray of bool, of `shape`
        Where the thesis finds no class.
    """
    _, kidney, tumour = _resize_indicators(labels, shape, "cubic") > THESIS_THRESHOLD
    resized = np.where(kidney, KIDNEY, np.where(tumour, TUMOUR, BACKGROUND)).astype(np.uint8)
    return resized, kidney & tumour


def _resize_indicators(labels: np.ndarray, shape: tuple[int, int], interpolation: str) -> np.ndarray:
    """Return the share of each class in each pixel, float32, shape (classes, *shape)."""
    # Every interpolation makes shares that add up to one, so that background is what the others leave.
    kidney, tumour = (
        resize_image((labels == number).astype(np.float32), shape, interpolation)
        for number in (KIDNEY, TUMOUR)
    )
    return np.stack([1 - kidney - tumour, kidney, tumour])


def _resize_across(
    slab: np.ndarray,
    shape: tuple[int, int],
    interpolation: str,
    convert: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Return slices resized, which lie across the memory of the slab; float32, (slices, *shape)."""
    slices, _, columns = slab.shape
    narrow = np.empty((columns, shape[0], slices), np.float32)
    for column, resized in enumerate(narrow):
        resized[:] = resize_image(convert(slab[:, :, column].T), (shape[0], slices), interpolation)
    small = np.empty((*shape, slices), np.float32)
    for row, resized in enumerate(small):
        resized[:] = resize_image(np.ascontiguousarray(narrow[:, row]), (shape[1], slices), interpolation)
    return np.ascontiguousarray(np.moveaxis(small, 2, 0))
