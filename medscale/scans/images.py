"""Pictures of one scan each, and the masks of their tumours, as grey arrays of any size."""

from collections.abc import Sequence
from functools import reduce
from pathlib import Path

import cv2
import numpy as np

from medscale.errors import InputError
from medscale.scans.picture_headers import is_jpeg, read_picture, refuse_picture

WHITE = 255
# A mask's pixel belongs to the tumour from here on: grey from compression or smoothing is cut in the middle.
HALF = 128


def read_size(path: str | Path) -> tuple[int, int]:
    """Return (rows, columns) of a PNG or JPEG from its header; the suffix does not matter.

    Raises
    ------
    InputError
        If the file is missing, neither PNG nor JPEG, truncated, or larger than 8192 pixels a side.
    """
    return read_picture(path)[1]


def read_grey(path: str | Path) -> np.ndarray:
    """Read a picture as grey values.

    Colours, such as an overlay on an ultrasound image, become their luma (ITU-R BT.601), which leaves grey
    stored in three channels as it is. Palettes are looked up. What is transparent lies on black, the
    background of both kinds of scans. A rotation in EXIF data is not followed: a mask carries none.

    Returns
    -------
    ndarray of uint8, shape (rows, columns)

    Raises
    ------
    InputError
        As `read_size`, or if the pixels are damaged or have more than 8 bit.
    """
    content, _ = read_picture(path)
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), _decoding(content))
    if pixels is None:
        raise refuse_picture(path, "damaged pixels")
    if pixels.dtype != np.uint8:
        raise refuse_picture(
            path, f"{8 * pixels.itemsize} bit", "Export it with 8 bit, in the window that was read."
        )
    return _to_grey(pixels)


def read_mask(paths: Sequence[str | Path], shape: tuple[int, int]) -> np.ndarray:
    """Read the masks of one picture and merge them; without a mask, nothing is marked.

    Parameters
    ----------
    shape : (rows, columns)
        Of the picture.

    Returns
    -------
    ndarray of uint8, shape (rows, columns)
        1 where any of the masks is at least half white, else 0.

    Raises
    ------
    InputError
        As `read_grey`, or if a mask has another size.
    """
    masks = []
    for path in paths:
        mask = read_grey(path)
        check_same_size(mask.shape, shape, path)
        masks.append(cv2.threshold(mask, HALF - 1, 1, cv2.THRESH_BINARY)[1])
    return reduce(np.bitwise_or, masks) if masks else np.zeros(shape, np.uint8)


def check_same_size(found: Sequence[int], expected: Sequence[int], mask: str | Path) -> None:
    """Raise an `InputError` unless a mask has the (rows, columns) of its picture."""
    if tuple(found) != tuple(expected):
        sizes = [f"{rows} × {columns} pixels" for rows, columns in (found, expected)]
        mend = "Fetch the mask again, or take picture and mask away."
        raise InputError(mask, sizes[0], f"{sizes[1]}, as the picture that it is the mask of", mend)


def resize_grey(values: np.ndarray, size_px: int) -> np.ndarray:
    """Stretch a picture to a square, as the network sees it; its proportions are not kept.

    Parameters
    ----------
    values : ndarray of uint8 or float32, shape (rows, columns)
    size_px : int
        Edge of the square.

    Returns
    -------
    ndarray of the same type, shape (size_px, size_px)
    """
    return stretch_grey(values, (size_px, size_px))


def stretch_grey(values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Stretch a picture: an axis that shrinks is averaged over areas, one that grows interpolated linearly.

    Parameters
    ----------
    values : ndarray of uint8 or float32, shape (rows, columns)
    shape : (rows, columns)
        Of the result.

    Returns
    -------
    ndarray of the same type, of shape `shape`
    """
    smaller = tuple(min(own, wanted) for own, wanted in zip(values.shape, shape, strict=True))
    # In two steps, because OpenCV averages over areas only where neither axis grows.
    if values.shape != smaller:
        values = cv2.resize(values, smaller[::-1], interpolation=cv2.INTER_AREA)
    if values.shape != tuple(shape):
        values = cv2.resize(values, tuple(shape)[::-1], interpolation=cv2.INTER_LINEAR)
    return values


def resize_mask(mask: np.ndarray, size_px: int) -> np.ndarray:
    """Stretch a mask of 0 and 1 as `resize_grey` does its picture: 1 where at least half of a pixel is.

    Parameters
    ----------
    mask : ndarray of uint8, shape (rows, columns)

    Returns
    -------
    ndarray of uint8, shape (size_px, size_px)
    """
    if not mask.any():
        return np.zeros((size_px, size_px), np.uint8)
    return (resize_grey(mask.astype(np.float32), size_px) >= 0.5).astype(np.uint8)


def to_unit(grey: np.ndarray) -> np.ndarray:
    """Return grey values of uint8 as float32 from 0 (black) to 1 (white)."""
    return grey.astype(np.float32) / WHITE


def read_sample(
    path: str | Path, masks: Sequence[str | Path], size_px: int
) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """Read a picture and its merged masks, each file once, and stretch both to a square.

    Returns
    -------
    grey, mask : ndarray of uint8, shape (size_px, size_px)
        The picture from 0 to 255 (`to_unit` makes it float32), and 1 where there is tumour.
    shape : (rows, columns)
        Of the picture before.

    Raises
    ------
    InputError
        As `read_grey` and `read_mask`.
    """
    grey = read_grey(path)
    square = (size_px, size_px)
    mask = resize_mask(read_mask(masks, grey.shape), size_px) if masks else np.zeros(square, np.uint8)
    return resize_grey(grey, size_px), mask, grey.shape


def _decoding(content: bytes) -> int:
    if is_jpeg(content):
        # Luma is what a JPEG stores: to turn it into colours and back would take longer.
        return cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
    return cv2.IMREAD_UNCHANGED


def _to_grey(pixels: np.ndarray) -> np.ndarray:
    """Return grey, uint8, for the channels that OpenCV decodes: grey, BGR or BGR with opacity."""
    if pixels.ndim == 2:
        return pixels
    grey = cv2.cvtColor(np.ascontiguousarray(pixels[..., :3]), cv2.COLOR_BGR2GRAY)
    if pixels.shape[2] == 3:
        return grey
    return np.rint(grey * (pixels[..., 3] / np.float32(WHITE))).astype(np.uint8)
