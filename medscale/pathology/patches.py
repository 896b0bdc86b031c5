"""Patches of a slide: where they lie, what they show, and their pixels."""

import logging
from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd

from medscale.errors import InputError
from medscale.files.rasters import Raster
from medscale.pathology.slides import Slide
from medscale.pathology.staging import CLASSES

EXHAUSTIVELY_ANNOTATED = ("micro", "macro")
NORMAL, TUMOUR, DROPPED = 0, 1, -1
FRACTION_DIGITS = 6
ROUNDING_MARGIN_PX = 2
READ_BLOCK_PX = 1024
WORTH_CUTTING = 0.5
GRID_DTYPES = {
    "slide": "str",
    "x": "int64",
    "y": "int64",
    "level": "int16",
    "size_px": "int32",
    "mpp": "float64",
    "tissue_fraction": "float64",
    "tumour_fraction": "float64",
    "label": "int8",
}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GridSettings:
    """Which patches a slide gives.

    Attributes
    ----------
    size_px, stride_px : int
        Edge of a patch, and step between patches, in pixels of `um_px`.
    um_px : float
        Resolution of the patches, in µm per pixel.
    min_tissue_fraction, min_tumour_fraction : float
        Shares of the patch's area, 0 to 1: of tissue that any patch needs, of tumour that makes it tumour.
    normal_margin_um : float
        Distance of normal patches from every tumour. Two mask pixels are added to it, for what
        rasterising may have rounded away.
    """

    size_px: int
    um_px: float
    stride_px: int
    min_tissue_fraction: float
    min_tumour_fraction: float
    normal_margin_um: float = 100.0


def grid_patches(
    slide_name: str,
    slide: Slide,
    tissue: Raster,
    tumour: Raster | None,
    *,
    label: str,
    settings: GridSettings,
) -> pd.DataFrame:
    """List the patches of a slide that a network may learn from.

    A patch lies wholly inside the slide and holds enough tissue. On a negative slide every patch is
    normal. On an annotated micro or macro slide a patch is tumour from `min_tumour_fraction` up, normal
    if all of it is farther than `normal_margin_um` from every tumour, and left out in between. Other
    slides give no patches: without annotation or class nothing is known of a patch, and isolated tumour
    cells are not annotated exhaustively in CAMELYON17.

    Parameters
    ----------
    slide_name : str
        Name of the slide in the sheet.
    tissue, tumour : Raster of uint8
        Masks (0/1) on one grid; `tumour` is None for a slide without annotation.
    label : str
        Class of the slide, one of `CLASSES`, or "" where it is not known.

    Returns
    -------
    DataFrame
        Columns `GRID_DTYPES`, ordered by y, then x. `x` and `y` are level-0 pixels of the patch's
        top-left corner, `mpp` is µm/px, `label` is 1 for tumour and 0 for normal.

    Raises
    ------
    InputError
        If the class is unknown, a negative slide has tumour, a mask is of another size than the slide,
        or the slide is smaller than a patch or coarser than the patches.
    """
    _check_label(slide_name, label, tumour)
    for mask in (tissue, tumour):
        _check_covers(slide_name, slide, mask)
    x, y = (_starts(slide_name, length, slide.um_px, settings) for length in (slide.width, slide.height))
    if label != "negative" and (tumour is None or label not in EXHAUSTIVELY_ANNOTATED):
        x = x[:0]
    grid = _measure(slide, tissue, tumour, x, y, settings)
    if len(x) and tumour is not None and not (grid["label"] == TUMOUR).any():
        log.warning("%s is annotated, but none of its patches holds enough tumour and tissue", slide_name)
    return grid.assign(slide=slide_name)[list(GRID_DTYPES)].astype(GRID_DTYPES)


def _measure(
    slide: Slide,
    tissue: Raster,
    tumour: Raster | None,
    x: np.ndarray,
    y: np.ndarray,
    settings: GridSettings,
) -> pd.DataFrame:
    """Return the patches at all pairs of `x` and `y` that hold enough tissue and have a label."""
    edge = settings.size_px * settings.um_px / slide.um_px
    tissue_fraction = _fractions(tissue, slide.um_px, x, y, edge)
    tumour_fraction, labels = _label(
        slide, tumour, x, y, edge, settings.min_tumour_fraction, settings.normal_margin_um
    )
    row, column = np.nonzero((labels != DROPPED) & (tissue_fraction >= settings.min_tissue_fraction))
    columns = {
        "x": x[column],
        "y": y[row],
        "level": slide.level_for(settings.um_px),
        "size_px": settings.size_px,
        "mpp": settings.um_px,
        "tissue_fraction": tissue_fraction[row, column],
        "tumour_fraction": tumour_fraction[row, column],
        "label": labels[row, column],
    }
    return pd.DataFrame(columns)


def read_patches(slide: Slide, x: np.ndarray, y: np.ndarray, size_px: int, um_px: float) -> np.ndarray:
    """Read patches in the order of the file's tiles, and return them in the order asked.

    Overlapping patches are cut from one larger read, where it has at most half of their pixels; the
    values are the same. Patches that only touch are read one by one: OpenSlide keeps their tiles.

    Parameters
    ----------
    x, y : ndarray of int, shape (n,)
        Top-left corners in level-0 pixels.
    size_px : int
        Edge of a patch in pixels of `um_px`.
    um_px : float
        Resolution of the patches, in µm per pixel.

    Returns
    -------
    ndarray of uint8, shape (n, size_px, size_px, 3)

    Raises
    ------
    InputError
        As `Slide.read`.
    """
    x, y = np.asarray(x, np.int64), np.asarray(y, np.int64)
    patches = np.empty((len(x), size_px, size_px, 3), np.uint8)
    if not len(x):
        return patches
    block_px = max(size_px, READ_BLOCK_PX)
    step = slide.exact_step(um_px, block_px + size_px)
    for group in _group_by_block(x, y, max(1, round(block_px * um_px / slide.um_px)), step or 1):
        width, height = (np.ptp(corner[group]) // (step or 1) + size_px for corner in (x, y))
        if step is not None and len(group) > 1 and width * height <= WORTH_CUTTING * len(group) * size_px**2:
            left, top = x[group].min(), y[group].min()
            block = slide.read(left, top, width, height, um_px)
            for i in group:
                row, column = (y[i] - top) // step, (x[i] - left) // step
                patches[i] = block[row : row + size_px, column : column + size_px]
        else:
            for i in group:
                patches[i] = slide.read(x[i], y[i], size_px, size_px, um_px)
    return patches


def _group_by_block(x: np.ndarray, y: np.ndarray, block: int, step: int) -> list[np.ndarray]:
    """Group the patches of a block whose corners differ by whole steps; y, then x, within a group."""
    keys = (x, y, x % step, y % step, x // block, y // block)
    order = np.lexsort(keys)
    sorted_keys = np.stack([key[order] for key in keys[2:]])
    is_first = (np.diff(sorted_keys, axis=1) != 0).any(axis=0)
    return np.split(order, np.flatnonzero(is_first) + 1)


def _check_label(slide_name: str, label: str, tumour: Raster | None) -> None:
    if label and label not in CLASSES:
        mend = "Correct the label in the slide sheet; leave it empty if the class is not known."
        raise InputError(slide_name, f"label {label!r}", "one of " + ", ".join(CLASSES), mend)
    if label == "negative" and tumour is not None:
        mend = "Correct the slide's label, or empty its `annotation` in the slide sheet."
        raise InputError(slide_name, "a tumour annotation", "none on a slide labelled negative", mend)


def _check_covers(slide_name: str, slide: Slide, mask: Raster | None) -> None:
    if mask is None:
        return
    expected = slide.raster_shape(mask.um_px)
    if np.abs(np.subtract(mask.values.shape, expected)).max() > 1:
        shape, wanted = ("×".join(map(str, sides)) for sides in (mask.values.shape, expected))
        found = f"a mask of {shape} pixels of {mask.um_px:g} µm"
        mend = "Delete the slide's masks and run again: they belong to another version of the slide."
        raise InputError(slide_name, found, f"{wanted} pixels, the size of the slide", mend)


def _starts(slide_name: str, length: int, slide_um_px: float, settings: GridSettings) -> np.ndarray:
    """Return the level-0 pixels at which patches start along an edge of `length` level-0 pixels."""
    step = settings.um_px / slide_um_px
    patch, stride = settings.size_px * step, settings.stride_px * step
    room = length - patch
    if room < -0.5:
        found = f"a slide with an edge of {length} level-0 px"
        mend = "Make `pathology.patches.size_px` smaller, or leave the slide out of the sheet."
        raise InputError(slide_name, found, f"at least one patch ({patch:.0f} level-0 px)", mend)
    count = int((max(room, 0) + 0.5) / stride) + 1
    return np.rint(np.arange(count) * stride).astype(np.int64)


def _label(
    slide: Slide,
    tumour: Raster | None,
    x: np.ndarray,
    y: np.ndarray,
    edge: float,
    min_fraction: float,
    margin_um: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the tumour share and the label of each patch, both of shape (len(y), len(x))."""
    labels = np.full((len(y), len(x)), NORMAL)
    if tumour is None:
        return np.zeros(labels.shape), labels
    fraction = _fractions(tumour, slide.um_px, x, y, edge)
    labels[_fractions(_grow(tumour, margin_um), slide.um_px, x, y, edge) > 0] = DROPPED
    labels[(fraction >= min_fraction) & (fraction > 0)] = TUMOUR
    return fraction, labels


def _grow(mask: Raster, margin_um: float) -> Raster:
    """Return the pixels within `margin_um` of the mask, and `ROUNDING_MARGIN_PX` more."""
    if not mask.values.any():
        return mask
    distance_px = cv2.distanceTransform(
        (mask.values == 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )
    return Raster((distance_px <= margin_um / mask.um_px + ROUNDING_MARGIN_PX).astype(np.uint8), mask.um_px)


def _fractions(mask: Raster, slide_um_px: float, x: np.ndarray, y: np.ndarray, edge: float) -> np.ndarray:
    """Return the masked share of each patch, shape (len(y), len(x)).

    The summed-area table is linear within a pixel, so that interpolating it gives the exact share also
    of patches that cut through mask pixels.
    """
    table = cv2.integral(mask.values, sdepth=cv2.CV_64F)
    scale = slide_um_px / mask.um_px
    bottom_minus_top = _interpolate(table, (y + edge) * scale) - _interpolate(table, y * scale)
    columns = bottom_minus_top.T
    sums = (_interpolate(columns, (x + edge) * scale) - _interpolate(columns, x * scale)).T
    return np.round(np.clip(sums / (edge * scale) ** 2, 0, 1), FRACTION_DIGITS)


def _interpolate(table: np.ndarray, rows: np.ndarray) -> np.ndarray:
    rows = np.clip(rows, 0, len(table) - 1)
    above = np.minimum(rows.astype(np.int64), len(table) - 2)
    share = (rows - above)[:, np.newaxis]
    return table[above] * (1 - share) + table[above + 1] * share
