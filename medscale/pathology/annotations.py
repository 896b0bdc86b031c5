"""Tumour outlines and masks drawn by pathologists, on the grid of the tissue mask."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

import numpy as np
import tifffile
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import parse

from medscale.errors import InputError
from medscale.files.rasters import Raster, grid_shape

AREA_TYPES = ("polygon", "spline", "rectangle")
OTHER_TYPES = ("dot", "pointset", "measurement")
OUTSIDE_MARGIN_UM = 50.0
# Odd, so that no pixel is half covered.
SUBPIXELS = 5
STRIP_SUBPIXELS = 2**22
SHAPE_TOLERANCE = 0.02
LARGEST_SEGMENT_PX = 2**27
TUMOUR_VALUES = (1, 255)
MASK_CODES = ({0, 1, 2}, {0, 255})

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outline:
    """One closed outline.

    Attributes
    ----------
    points : ndarray of float64, shape (n, 2)
        Corners (x, y) in level-0 pixels.
    kind : str
        "tumour", or "cut_out" for normal tissue inside a tumour.
    group, name : str
        As in the file.
    """

    points: np.ndarray
    kind: str
    group: str = ""
    name: str = ""


def read_asap(path: str | Path, groups: dict[str, list[str]]) -> list[Outline]:
    """Read the areas of an ASAP annotation file.

    A spline becomes the polygon through its points, as in ASAP's own conversion to masks. Points and
    measurements have no area: they are left out with a warning.

    Parameters
    ----------
    groups : dict
        Group names for "tumour" and "cut_out"; upper and lower case are the same.

    Raises
    ------
    InputError
        If the file is no ASAP XML, defines entities, has a group or shape that is not known, or a
        coordinate that is no finite number.
    """
    kinds = {name.casefold(): kind for kind, names in groups.items() for name in names}
    outlines = []
    for annotation in _parse(path).iter("Annotation"):
        name, shape = annotation.get("Name", ""), annotation.get("Type", "").casefold()
        if shape not in AREA_TYPES + OTHER_TYPES:
            expected = "one of " + ", ".join(AREA_TYPES + OTHER_TYPES)
            raise InputError(path, f"annotation {name!r} of type {shape!r}", expected, "Redraw it in ASAP.")
        points = _read_points(annotation, path, name)
        if shape == "rectangle" and len(points) == 2:
            (left, top), (right, bottom) = points
            points = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
        if shape in OTHER_TYPES or len(points) < 3:
            log.warning(
                "%s: annotation %r (%s, %d points) has no area: ignored", path, name, shape, len(points)
            )
            continue
        group = annotation.get("PartOfGroup", "None")
        outlines.append(Outline(points, _find_kind(group, kinds, path, name), group, name))
    return outlines


def rasterise_outlines(
    outlines: list[Outline],
    width: int,
    height: int,
    slide_um_px: float,
    um_px: float,
    where: str | Path,
) -> Raster:
    """Rasterise outlines: all tumours first, then every cut-out, whatever their order.

    A pixel is tumour if at least half of it is. Where an outline crosses itself, the
    non-zero winding rule holds, as in ASAP (`AnnotationToMask.cpp`).

    Parameters
    ----------
    width, height : int
        Size of the slide in level-0 pixels.
    slide_um_px, um_px : float
        Resolution of level 0, and of the mask.
    where : str or Path
        The annotation file, for messages.

    Returns
    -------
    Raster of uint8, 0 or 1

    Raises
    ------
    InputError
        If an outline leaves the slide by more than 50 µm, or no pixel is tumour.
    """
    for outline in outlines:
        _check_inside(outline, width, height, OUTSIDE_MARGIN_UM / slide_um_px, where)
    shape = grid_shape(width, height, um_px / slide_um_px)
    values = np.zeros(shape, np.uint8)
    ordered = sorted(outlines, key=lambda outline: outline.kind == "cut_out")
    scale = slide_um_px / um_px * SUBPIXELS
    _rasterise([(outline.points * scale, outline.kind == "tumour") for outline in ordered], values)
    _check_not_empty(values, where)
    return Raster(values, um_px)


def read_tumour_mask(path: str | Path, width: int, height: int, slide_um_px: float, um_px: float) -> Raster:
    """Read a tumour mask of the whole slide from a TIFF, tile by tile, at `um_px`.

    Values are 0/1, 0/255, or 0/1/2 where 2 is excluded from the tumour (CAMELYON16). The coarsest page
    that is at least as fine as `um_px` is used. A pixel is tumour if at least half of it is.

    Parameters
    ----------
    width, height : int
        Size of the slide in level-0 pixels.
    slide_um_px, um_px : float
        Resolution of level 0, and of the result.

    Returns
    -------
    Raster of uint8, 0 or 1

    Raises
    ------
    InputError
        If the file is no readable TIFF of one channel of 8 bits, does not cover the slide within 2 %,
        holds other values, or holds no tumour.
    """
    shape = grid_shape(width, height, um_px / slide_um_px)
    try:
        with tifffile.TiffFile(path) as file:
            page = _choose_page(file, path, width * slide_um_px / um_px, width / height)
            values, seen = _reduce_page(
                page, shape, width * slide_um_px / um_px, height * slide_um_px / um_px
            )
    except (tifffile.TiffFileError, OSError, ValueError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        mend = "Fetch or export the mask again."
        raise InputError(path, f"no readable TIFF ({error})", "a tumour mask", mend) from error
    if not any(seen <= codes for codes in MASK_CODES):
        found = "the values " + ", ".join(map(str, sorted(seen)[:8]))
        raise InputError(
            path, found, "0/1, 0/255 or 0/1/2 (2 = excluded)", "Export the mask with these values."
        )
    _check_not_empty(values, path)
    return Raster(values, um_px)


def _parse(path: str | Path) -> Element:
    mend = "Save the annotation again with ASAP, or empty the slide's `annotation` in the sheet."
    expected = "an XML file written by ASAP"
    try:
        root = parse(path, forbid_dtd=True).getroot()
    except FileNotFoundError as error:
        raise InputError(
            path, "no such file", expected, "Correct `annotation` in the slide sheet."
        ) from error
    except (ParseError, DefusedXmlException, UnicodeDecodeError, ValueError) as error:
        raise InputError(path, f"no well-formed XML ({error!r})", expected, mend) from error
    if root.tag != "ASAP_Annotations":
        raise InputError(path, f"the root element <{root.tag}>", "<ASAP_Annotations>", mend)
    return root


def _read_points(annotation: Element, path: str | Path, name: str) -> np.ndarray:
    points = []
    for position, coordinate in enumerate(annotation.iter("Coordinate")):
        texts = [
            coordinate.get(key, default) for key, default in (("Order", str(position)), ("X", ""), ("Y", ""))
        ]
        try:
            point = [float(text.replace(",", ".")) for text in texts]
        except ValueError:
            point = [np.nan]
        if not np.isfinite(point).all():
            found = f"coordinate {position} of annotation {name!r}: Order, X, Y = {texts}"
            raise InputError(path, found, "finite numbers", "Correct or delete the point in ASAP.")
        points.append(point)
    points.sort(key=lambda point: point[0])
    return np.array(points, np.float64).reshape(-1, 3)[:, 1:]


def _find_kind(group: str, kinds: dict[str, str], path: str | Path, name: str) -> str:
    kind = kinds.get(group.casefold())
    if kind is None:
        known = ", ".join(f"{known} ({kind})" for known, kind in sorted(kinds.items()))
        raise InputError(
            path,
            f"annotation {name!r} in the unknown group {group!r}",
            f"one of the groups {known}",
            "Add the group to `pathology.annotation_groups` in the config, under `tumour` or `cut_out`.",
        )
    return kind


def _check_inside(outline: Outline, width: int, height: int, margin_px: float, where: str | Path) -> None:
    low, high = outline.points.min(axis=0), outline.points.max(axis=0)
    if (low < -margin_px).any() or (high > np.array((width, height)) + margin_px).any():
        x, y = (f"{start:.0f} to {end:.0f}" for start, end in zip(low, high, strict=True))
        raise InputError(
            where,
            f"outline {outline.name!r} at x {x}, y {y}",
            f"an outline inside the slide of {width} × {height} level-0 px",
            "Check that the annotation belongs to this slide and is drawn at full resolution.",
        )


def _check_not_empty(values: np.ndarray, where: str | Path) -> None:
    if not values.any():
        mend = "Check the annotation's groups, or empty the slide's `annotation` in the sheet."
        raise InputError(where, "an annotation that marks no tumour", "at least one tumour pixel", mend)


def _rasterise(shapes: list[tuple[np.ndarray, bool]], values: np.ndarray) -> None:
    """Paint polygons (points in subpixels, value) into `values`, strip by strip of their bounding box."""
    if not shapes:
        return
    corners = np.concatenate([points for points, _ in shapes]) / SUBPIXELS
    left, top = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, None)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int)
    box = values[top:bottom, left:right]
    rows = max(1, STRIP_SUBPIXELS // (max(1, box.shape[1]) * SUBPIXELS**2))
    for start in range(0, box.shape[0], rows):
        strip = box[start : start + rows]
        first, last = (top + start) * SUBPIXELS, (top + start + len(strip)) * SUBPIXELS
        here = [shape for shape in shapes if shape[0][:, 1].max() >= first and shape[0][:, 1].min() <= last]
        if not here:
            continue
        canvas = np.zeros((strip.shape[0] * SUBPIXELS, strip.shape[1] * SUBPIXELS), bool)
        for points, value in here:
            _paint(canvas, points - (left * SUBPIXELS, first), value)
        squares = canvas.reshape(strip.shape[0], SUBPIXELS, strip.shape[1], SUBPIXELS)
        strip[:] = squares.sum(axis=(1, 3), dtype=np.uint8) * 2 > SUBPIXELS**2


def _paint(canvas: np.ndarray, points: np.ndarray, value: bool) -> None:
    """Set the pixels of `canvas` whose centre the polygon winds around, as in ASAP."""
    x, y = points[:, 0], points[:, 1]
    top, bottom = max(0, int(np.ceil(y.min() - 0.5))), min(len(canvas), int(np.ceil(y.max() - 0.5)))
    left = max(0, int(np.ceil(x.min() - 0.5)))
    width = min(canvas.shape[1], int(np.ceil(x.max() - 0.5))) - left
    if bottom <= top or width <= 0:
        return
    rows, crossings, turns = _cross_rows(x, y, top, bottom)
    columns = np.clip(np.ceil(crossings - 0.5).astype(np.int64) - left, 0, width)
    places = (rows - top) * (width + 1) + columns
    steps = np.bincount(places, weights=turns, minlength=(bottom - top) * (width + 1))
    winding = np.cumsum(steps.reshape(bottom - top, width + 1), axis=1)[:, :width]
    canvas[top:bottom, left : left + width][winding != 0] = value


def _cross_rows(
    x: np.ndarray, y: np.ndarray, top: int, bottom: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the pixel rows whose centre line each edge crosses, where (x), and downwards (1) or up (-1)."""
    next_x, next_y = np.roll(x, -1), np.roll(y, -1)
    first = np.clip(np.ceil(np.minimum(y, next_y) - 0.5).astype(np.int64), top, bottom)
    count = np.clip(np.ceil(np.maximum(y, next_y) - 0.5).astype(np.int64), top, bottom) - first
    edge = np.repeat(np.arange(len(x)), count)
    rows = first[edge] + np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    along = (rows + 0.5 - y[edge]) / (next_y[edge] - y[edge])
    return rows, x[edge] + along * (next_x[edge] - x[edge]), np.sign(next_y - y)[edge]


def _choose_page(
    file: tifffile.TiffFile, path: str | Path, wanted_width: float, aspect: float
) -> tifffile.TiffPage:
    """Return the coarsest page of the slide's shape with at least `wanted_width` columns, else the first."""
    first = file.pages[0]
    if len(first.shape) != 2 or first.dtype != np.uint8:
        found = f"an image of shape {first.shape}, {first.dtype}"
        raise InputError(path, found, "one channel of uint8", "Export the mask as an 8-bit grey TIFF.")
    if not _has_aspect(first, aspect):
        found = f"a mask of {first.imagewidth} × {first.imagelength} px"
        expected = f"width / height = {aspect:.4g} as the slide (within 2 %)"
        raise InputError(
            path, found, expected, "Check that the mask belongs to this slide and covers all of it."
        )
    fitting = [page for page in file.pages if len(page.shape) == 2 and _has_aspect(page, aspect)]
    fine_enough = [p for p in fitting if p.imagewidth * (1 + SHAPE_TOLERANCE) >= wanted_width]
    page = min(fine_enough, key=lambda p: p.imagewidth, default=first)
    if not fine_enough:
        log.warning("%s: the mask is %.1f times coarser than asked", path, wanted_width / first.imagewidth)
    across = (page.tilewidth, page.tilelength) if page.is_tiled else (page.imagewidth, page.rowsperstrip)
    if across[0] * across[1] > LARGEST_SEGMENT_PX:
        found = f"pieces of {across[0]} × {across[1]} px"
        raise InputError(
            path, found, f"at most {LARGEST_SEGMENT_PX} px a piece", "Save the mask as a tiled TIFF."
        )
    return page


def _has_aspect(page: tifffile.TiffPage, aspect: float) -> bool:
    # One pixel of rounding is much of a tiny page.
    slack = SHAPE_TOLERANCE + 1 / min(page.imagewidth, page.imagelength)
    return abs(page.imagewidth / page.imagelength / aspect - 1) <= slack


def _reduce_page(
    page: tifffile.TiffPage, shape: tuple[int, int], width: float, height: float
) -> tuple[np.ndarray, set[int]]:
    """Return the mask on `shape`, and the values that the page holds.

    `width` and `height` are the slide's size in pixels of the result.
    """
    if page.imagewidth < width or page.imagelength < height:
        return _enlarge_page(page, shape, width, height)
    row_of = np.minimum(
        ((np.arange(page.imagelength) + 0.5) * height / page.imagelength).astype(int), shape[0] - 1
    )
    column_of = np.minimum(
        ((np.arange(page.imagewidth) + 0.5) * width / page.imagewidth).astype(int), shape[1] - 1
    )
    central_row, central_column = _central(row_of), _central(column_of)
    marked = np.zeros(shape, np.int64)
    seen = {0}
    for top, left, tile in _tiles(page):
        seen |= set(np.unique(tile).tolist())
        here = slice(top, top + tile.shape[0]), slice(left, left + tile.shape[1])
        weights = np.isin(tile, TUMOUR_VALUES) * (2 + np.outer(central_row[here[0]], central_column[here[1]]))
        rows, row_starts = np.unique(row_of[here[0]], return_index=True)
        columns, column_starts = np.unique(column_of[here[1]], return_index=True)
        sums = np.add.reduceat(np.add.reduceat(weights, row_starts, axis=0), column_starts, axis=1)
        marked[np.ix_(rows, columns)] += sums
    full = np.bincount(row_of, minlength=shape[0])[:, np.newaxis] * np.bincount(column_of, minlength=shape[1])
    return (marked > full).astype(np.uint8), seen


def _central(pixel_of: np.ndarray) -> np.ndarray:
    """Return 1 for the middle one of the source pixels of each pixel, which decides where half are marked."""
    _, first, count = np.unique(pixel_of, return_index=True, return_counts=True)
    central = np.zeros(len(pixel_of), np.int64)
    central[first + count // 2] = 1
    return central


def _enlarge_page(
    page: tifffile.TiffPage, shape: tuple[int, int], width: float, height: float
) -> tuple[np.ndarray, set[int]]:
    small = np.zeros((page.imagelength, page.imagewidth), np.uint8)
    for top, left, tile in _tiles(page):
        small[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    rows = np.minimum((np.arange(shape[0]) + 0.5) * len(small) / height, len(small) - 1).astype(int)
    columns = np.minimum((np.arange(shape[1]) + 0.5) * small.shape[1] / width, small.shape[1] - 1).astype(int)
    values = np.isin(small[np.ix_(rows, columns)], TUMOUR_VALUES).astype(np.uint8)
    return values, set(np.unique(small).tolist())


def _tiles(page: tifffile.TiffPage) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield (row, column, values) of each stored piece, cut to the image; missing pieces are skipped."""
    for segment, place, _ in page.segments(maxworkers=1):
        if segment is not None:
            top, left = place[-3], place[-2]
            yield (
                top,
                left,
                segment.reshape(segment.shape[-3:-1])[: page.imagelength - top, : page.imagewidth - left],
            )
