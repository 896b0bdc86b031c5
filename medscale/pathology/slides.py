"""Whole-slide images, read by µm per pixel instead of by pyramid level."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import openslide
import tifffile

from medscale.errors import InputError
from medscale.files.rasters import Raster, grid_shape

CACHE_BYTES = 32 * 2**20
LEVEL_TOLERANCE = 0.02
PLAUSIBLE_UM_PX = (0.05, 20.0)
SOURCE_BLOCK_PX = 2048
TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

logger = logging.getLogger(__name__)


class Slide:
    """A slide that is read at any resolution no finer than its own.

    Parameters
    ----------
    path : str or Path
        A file that OpenSlide reads.
    fallback_um_px : float, optional
        Resolution in µm per pixel for a file that states none. It never replaces a stated value.

    Attributes
    ----------
    path : Path
    width, height : int
        Size at level 0, in pixels.
    um_px : float
        Resolution of level 0, in µm per pixel.
    level_um_px : list of float
        Resolution of each pyramid level, finest first. The steps need not be powers of two.

    Raises
    ------
    InputError
        If the file is missing, empty, truncated, damaged, in no slide format, or a mask; or if its
        resolution is unknown, implausible or different in x and y.
    """

    def __init__(self, path: str | Path, fallback_um_px: float | None = None):
        self.path = Path(path)
        _check_file(self.path)
        self._handle: openslide.OpenSlide | None = _open(self.path)
        try:
            self._handle.set_cache(openslide.OpenSlideCache(CACHE_BYTES))
            self.width, self.height = self._handle.dimensions
            self.um_px = _find_um_px(self._handle.properties, self.path, fallback_um_px)
            self._reported_steps = self._handle.level_downsamples
            self.level_um_px = [self.um_px * step for step in _level_steps(self._handle)]
            self._read_level(0, 0, self._handle.level_count - 1, 1, 1)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Slide":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; a closed slide cannot be read again."""
        if self._handle is not None:
            self._handle.close()
            self._handle = None

    def level_for(self, um_px: float) -> int:
        """Return the coarsest level that is at least as fine as `um_px`, within 2 %.

        Raises
        ------
        InputError
            If even level 0 is coarser.
        """
        fine_enough = [
            level for level, own in enumerate(self.level_um_px) if own <= um_px * (1 + LEVEL_TOLERANCE)
        ]
        if not fine_enough:
            raise InputError(
                self.path,
                f"a slide of {self.um_px:.4g} µm/px",
                f"{um_px:.4g} µm/px or finer",
                f"Ask for {self.um_px:.4g} µm/px or more, or leave the slide out.",
            )
        return fine_enough[-1]

    def read(self, x: int, y: int, width_px: int, height_px: int, um_px: float) -> np.ndarray:
        """Read a rectangle at `um_px`, by area averaging where no level has that resolution.

        What is transparent or outside the slide is white.

        Parameters
        ----------
        x, y : int
            Top-left corner in level-0 pixels; it may lie outside the slide.
        width_px, height_px : int
            Size of the result, in pixels of `um_px`.
        um_px : float
            Resolution of the result, in µm per pixel.

        Returns
        -------
        ndarray of uint8, shape (height_px, width_px, 3)

        Raises
        ------
        InputError
            If `um_px` is finer than the slide, or the region cannot be decoded.
        """
        level = self.level_for(um_px)
        step = um_px / self.level_um_px[level]
        source_width, source_height = max(1, round(width_px * step)), max(1, round(height_px * step))
        pixels = self._read_level(int(x), int(y), level, source_width, source_height)
        if (source_width, source_height) == (width_px, height_px):
            return pixels
        return cv2.resize(pixels, (width_px, height_px), interpolation=cv2.INTER_AREA)

    def exact_step(self, um_px: float, extent_px: int) -> int | None:
        """Return the whole level-0 pixels in one pixel of `um_px`, where reads can be cut from larger ones.

        Reads whose corners differ by multiples of the step then hold the same values as parts of one
        read of up to `extent_px`. None where resampling or the pyramid's rounding forbids it.
        """
        level = self.level_for(um_px)
        ratio = um_px / self.level_um_px[level]
        whole, reported = max(1, round(ratio)), self._reported_steps[level]
        exact = reported.is_integer() and abs(ratio - whole) * extent_px < 0.5
        return whole * int(reported) if exact else None

    def raster_shape(self, um_px: float) -> tuple[int, int]:
        """Return (rows, columns) of a raster of `um_px` that covers the slide."""
        return grid_shape(self.width, self.height, um_px / self.um_px)

    def blocks(self, um_px: float, block_px: int = 1024) -> Iterator[tuple[int, int, np.ndarray]]:
        """Yield (row, column, pixels) of the slide at `um_px`, block by block in row-major order.

        The blocks tile the raster of `raster_shape(um_px)` without overlap. They are made smaller than
        `block_px` where the nearest level is much finer, so that memory does not grow with the slide.

        Yields
        ------
        row, column : int
            The block's first pixel in the raster.
        pixels : ndarray of uint8, shape (at most block_px, at most block_px, 3)
        """
        rows, columns = self.raster_shape(um_px)
        finest_um_px = self.level_um_px[self.level_for(um_px)]
        side = max(1, min(block_px, int(SOURCE_BLOCK_PX * finest_um_px / um_px)))
        step = um_px / self.um_px
        for row in range(0, rows, side):
            for column in range(0, columns, side):
                width, height = min(side, columns - column), min(side, rows - row)
                yield row, column, self.read(round(column * step), round(row * step), width, height, um_px)

    def overview(self, um_px: float) -> Raster:
        """Read the whole slide at `um_px`: values are uint8 of shape (rows, columns, 3)."""
        values = np.empty((*self.raster_shape(um_px), 3), np.uint8)
        for row, column, pixels in self.blocks(um_px):
            values[row : row + pixels.shape[0], column : column + pixels.shape[1]] = pixels
        return Raster(values, um_px)

    def _read_level(self, x: int, y: int, level: int, width: int, height: int) -> np.ndarray:
        if self._handle is None:
            raise InputError(self.path, "a closed or failed reader", "an open slide", "Open the slide again.")
        try:
            rgba = np.asarray(self._handle.read_region((x, y), level, (width, height)))
        except openslide.OpenSlideError as error:
            # OpenSlide answers every later call of this handle with the same error.
            self.close()
            raise InputError(
                self.path,
                f"an unreadable region at x={x}, y={y}, level {level}, {width}×{height} px ({error})",
                "pixels that OpenSlide can decode",
                "Fetch the slide again, or leave it out of the sheet.",
            ) from error
        return _lay_on_white(rgba)


def _lay_on_white(rgba: np.ndarray) -> np.ndarray:
    rgb = cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB)
    # Alpha is the highest byte of a little-endian pixel: ten times faster than a strided minimum.
    if rgba.view("<u4").min() >= 0xFF000000:
        return rgb
    share = rgba[..., 3:].astype(np.uint16)
    return ((rgb * share + 255 * (255 - share) + 127) // 255).astype(np.uint8)


def _level_steps(handle: openslide.OpenSlide) -> list[float]:
    width, height = handle.dimensions
    steps = []
    for reported, (level_width, level_height) in zip(
        handle.level_downsamples, handle.level_dimensions, strict=True
    ):
        whole = max(1, round(reported))
        fits = abs(width / whole - level_width) < 1 and abs(height / whole - level_height) < 1
        steps.append(float(whole) if fits else reported)
    return steps


def _open(path: Path) -> openslide.OpenSlide:
    try:
        return openslide.OpenSlide(str(path))
    except openslide.OpenSlideUnsupportedFormatError as error:
        raise _refuse(path, _explain_refusal(path)) from error
    except openslide.OpenSlideError as error:
        raise _refuse(path, f"a file that OpenSlide cannot open ({error})") from error


def _refuse(
    path: Path, found: str, mend: str = "Fetch the slide again, or leave it out of the sheet."
) -> InputError:
    return InputError(path, found, "a tiled colour slide in a format that OpenSlide reads", mend)


def _check_file(path: Path) -> None:
    """Refuse what can be named before OpenSlide sees it; OpenSlide opens truncated files and masks."""
    if not path.exists():
        raise _refuse(path, "no such file", "Correct the path in the slide sheet, or fetch the slide.")
    if path.is_dir():
        raise _refuse(path, "a folder", "Name the slide's file in the sheet.")
    if path.stat().st_size == 0:
        raise _refuse(path, "an empty file")
    with _tiff(path) as file:
        if file is None:
            return
        size, reach = path.stat().st_size, _data_end(file)
        if reach > size:
            raise _refuse(path, f"a truncated TIFF: {size} bytes, but its tiles end at byte {reach}")
        if _samples(file) == 1:
            mend = "Put a mask into the sheet's `annotation` column; `path` names the slide."
            raise _refuse(path, "a mask: one channel instead of three", mend)


def _explain_refusal(path: Path) -> str:
    with _tiff(path) as file:
        if file is None:
            return "no slide format that OpenSlide knows"
        try:
            page = file.pages[0]
            whole = bool(page.dataoffsets) and page.dtype is not None
        except Exception as error:
            return f"a damaged or truncated TIFF ({error})"
        if not whole:
            return "a damaged or truncated TIFF: its first image has no data"
        return "a TIFF that is truncated or of an unknown kind" if page.is_tiled else "an untiled TIFF"


@contextmanager
def _tiff(path: Path) -> Iterator[tifffile.TiffFile | None]:
    """Yield the file's TIFF structure, or None where it has none; tifffile's own log stays silent."""
    with open(path, "rb") as file:
        if file.read(4) not in TIFF_SIGNATURES:
            yield None
            return
    log = tifffile.logger()
    was_disabled, log.disabled = log.disabled, True
    try:
        try:
            tiff = tifffile.TiffFile(path)
        except Exception:
            tiff = None
        yield tiff
        if tiff is not None:
            tiff.close()
    finally:
        log.disabled = was_disabled


def _data_end(file: tifffile.TiffFile) -> int:
    """Return the byte after the last one that holds pixels, or 0 where the structure is unclear."""
    try:
        return max(
            offset + count
            for page in file.pages
            for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)
        )
    except Exception:
        return 0


def _samples(file: tifffile.TiffFile) -> int:
    try:
        return file.pages[0].samplesperpixel if file.pages[0].is_tiled else 0
    except Exception:
        return 0


def _find_um_px(properties: dict[str, str], path: Path, fallback_um_px: float | None) -> float:
    names = (openslide.PROPERTY_NAME_MPP_X, openslide.PROPERTY_NAME_MPP_Y)
    stated = [_to_float(properties[name]) for name in names if name in properties]
    mend = "Correct the resolution in the file (for a TIFF: XResolution, YResolution, ResolutionUnit)."
    if not stated:
        return _fall_back(path, fallback_um_px)
    low, high = PLAUSIBLE_UM_PX
    if not all(low <= value <= high for value in stated):
        found = " × ".join(f"{value:.4g}" for value in stated)
        raise InputError(path, f"a resolution of {found} µm/px", f"{low} to {high} µm/px", mend)
    if max(stated) > min(stated) * (1 + LEVEL_TOLERANCE):
        found = f"{stated[0]:.4g} µm/px in x and {stated[1]:.4g} µm/px in y"
        raise InputError(path, found, "square pixels (within 2 %)", mend)
    return sum(stated) / len(stated)


def _to_float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _fall_back(path: Path, fallback_um_px: float | None) -> float:
    if fallback_um_px is None:
        raise InputError(
            path,
            "no resolution (µm/px)",
            "a slide that states its resolution",
            "Set `pathology.fallback_um_px` in the config to the scanner's µm/px at full resolution.",
        )
    logger.warning(
        "%s states no resolution: USING %.4g µm/px from pathology.fallback_um_px. "
        "Every size in mm of this slide depends on it.",
        path,
        fallback_um_px,
    )
    return float(fallback_um_px)
