"""Where a slide holds tissue."""

import cv2
import numpy as np

from medscale.errors import InputError
from medscale.files.rasters import Raster
from medscale.pathology.slides import Slide

METHODS = ("otsu_saturation", "fixed_grey")
DARKEST_SCALE = 100
LOWEST_OTSU = 14
GREEN_HUES, GREEN_SATURATION = (35, 100), 40
# Haematoxylin reaches blue hues where it is dense, but never so pure.
BLUE_HUES, BLUE_SATURATION = (100, 122), 140
BLACK = 80
BLACK_COLOUR = 30
INK_STROKE_UM = 40.0
INK_BORDER_UM = 16.0
PICTURE_PX = 1024
TISSUE_COLOUR = (0, 140, 60)
TUMOUR_COLOUR = (220, 0, 0)


def mask_tissue(
    slide: Slide,
    *,
    um_px: float,
    method: str = "otsu_saturation",
    grey_threshold: int = 205,
    min_speck_um: float = 100.0,
    min_hole_um: float = 100.0,
    min_share: float = 0.005,
    max_share: float = 0.95,
    exclude_ink: bool = True,
) -> Raster:
    """Mark the tissue of a slide.

    `otsu_saturation` takes pixels above Otsu's threshold on saturation. Saturation here is
    (max - min) / max(max, 100), so that the noise of black padding is not colourful, and the threshold
    is at least 14 of 255, so that an empty slide's noise is not split in two. `fixed_grey` takes pixels
    darker than `grey_threshold` (after Lee & Paeng 2018; their value is not known to us).

    The slide is read in blocks; what is kept is its overview at `um_px`.

    Parameters
    ----------
    um_px : float
        Resolution of the mask, in µm per pixel.
    method : str
        One of `METHODS`.
    grey_threshold : int
        0 to 255, for `fixed_grey`.
    min_speck_um, min_hole_um : float
        Diameter of the disc whose area the smallest tissue part, or hole in it, has. Smaller ones vanish.
    min_share, max_share : float
        Plausible share of the slide that is tissue.
    exclude_ink : bool
        Leave out strokes of green and cyan, which haematoxylin and eosin cannot make, of pure blue, and of
        black without colour.

    Returns
    -------
    Raster of uint8, 0 or 1

    Raises
    ------
    InputError
        If the method is unknown, or the share of tissue is not plausible.
    """
    if method not in METHODS:
        mend = "Correct `pathology.tissue.method` in the config."
        raise InputError("pathology.tissue.method", repr(method), "one of " + ", ".join(METHODS), mend)
    pixels = slide.overview(um_px).values
    usable = ~_find_ink(pixels, um_px) if exclude_ink else np.ones(pixels.shape[:2], bool)
    if method == "fixed_grey":
        tissue = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) < grey_threshold
    else:
        saturation = cv2.medianBlur(_saturation(pixels), 3)
        tissue = saturation > max(LOWEST_OTSU, _find_otsu(saturation[usable]))
    values = _clean((tissue & usable).astype(np.uint8), min_speck_um / um_px, min_hole_um / um_px)
    _check_share(slide, values.mean(), min_share, max_share, method)
    return Raster(values, um_px)


def outline_tissue(overview: Raster, tissue: Raster, tumour: Raster | None = None) -> np.ndarray:
    """Draw the outline of the tissue (green) and of the tumour (red) on the slide's overview.

    Parameters
    ----------
    overview : Raster of uint8, values of shape (rows, columns, 3)
    tissue, tumour : Raster of uint8, 0 or 1
        They cover the same area at any resolution.

    Returns
    -------
    ndarray of uint8, shape (rows, columns, 3)
        Its longer edge is at most 1024 px.
    """
    rows, columns = overview.values.shape[:2]
    shrink = min(1.0, PICTURE_PX / max(rows, columns))
    size = max(1, round(columns * shrink)), max(1, round(rows * shrink))
    picture = cv2.resize(overview.values, size, interpolation=cv2.INTER_AREA)
    for mask, colour in ((tissue, TISSUE_COLOUR), (tumour, TUMOUR_COLOUR)):
        if mask is not None:
            small = cv2.resize(mask.values, size, interpolation=cv2.INTER_NEAREST)
            contours, _ = cv2.findContours(small, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
            cv2.drawContours(picture, contours, -1, colour, 1)
    return picture


def _saturation(pixels: np.ndarray) -> np.ndarray:
    """Return the saturation of each pixel, 0 to 255, damped where the pixel is dark."""
    highest, lowest = pixels.max(axis=2), pixels.min(axis=2)
    difference = (highest - lowest).astype(np.float32)
    return (255 * difference / np.maximum(highest, DARKEST_SCALE)).astype(np.uint8)


def _find_otsu(values: np.ndarray) -> float:
    if not values.size:
        return 0.0
    return cv2.threshold(values.reshape(1, -1), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0]


def _find_ink(pixels: np.ndarray, um_px: float) -> np.ndarray:
    """Return where pens have written, and the border in which their colour mixes with others."""
    hue, saturation = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)[..., 0], _saturation(pixels)
    highest, lowest = pixels.max(axis=2), pixels.min(axis=2)
    green = _between(hue, GREEN_HUES) & (saturation >= GREEN_SATURATION)
    blue = _between(hue, BLUE_HUES) & (saturation >= BLUE_SATURATION)
    black = (highest < BLACK) & (highest - lowest < BLACK_COLOUR)
    ink = (green | blue | black).astype(np.uint8)
    strokes = cv2.morphologyEx(ink, cv2.MORPH_OPEN, _disc(max(2, round(INK_STROKE_UM / um_px))))
    return cv2.dilate(strokes, _disc(2 * round(INK_BORDER_UM / um_px) + 1)) > 0


def _between(values: np.ndarray, limits: tuple[int, int]) -> np.ndarray:
    return (values >= limits[0]) & (values <= limits[1])


def _disc(diameter_px: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter_px, diameter_px))


def _clean(mask: np.ndarray, speck_px: float, hole_px: float) -> np.ndarray:
    """Remove parts and fill holes that are smaller than discs of these diameters."""
    without_specks = mask * ~_find_small(mask, speck_px, 8)
    return without_specks | _find_small(1 - without_specks, hole_px, 4, keep_at_border=True)


def _find_small(
    mask: np.ndarray, diameter_px: float, connectivity: int, keep_at_border: bool = False
) -> np.ndarray:
    """Return the parts of `mask` with a smaller area than a disc; optionally none that touch the border."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=connectivity)
    small = stats[:, cv2.CC_STAT_AREA] < np.pi / 4 * diameter_px**2
    small[0] = False
    if keep_at_border:
        border = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
        small[np.unique(border)] = False
    return small[parts]


def _check_share(slide: Slide, share: float, min_share: float, max_share: float, method: str) -> None:
    if share == 0 or not min_share <= share <= max_share:
        other = next(name for name in METHODS if name != method)
        raise InputError(
            slide.path,
            f"tissue on {share:.2%} of the slide by {method}",
            f"{min_share:.2%} to {max_share:.2%}",
            f"Look at the slide; set `pathology.tissue.method` to {other}, move the limits "
            "`min_share` and `max_share`, or leave the slide out of the sheet.",
        )
