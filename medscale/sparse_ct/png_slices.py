"""CT slices that are kept as grey PNG pictures."""

import struct
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from medscale.errors import InputError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LAST_CHUNK = b"IEND\xaeB`\x82"
MAX_EDGE_PX = 8192


@dataclass(frozen=True)
class PngScale:
    """What the grey values of a PNG mean.

    Attributes
    ----------
    hu_low, hu_high : float
        Meaning of black (0) and of white (255 or 65535), in HU.
    pixel_mm : float
        Edge of a pixel in mm.
    """

    hu_low: float
    hu_high: float
    pixel_mm: float

    def __post_init__(self) -> None:
        if not (self.hu_low < self.hu_high and self.pixel_mm > 0):
            found = f"hu_low {self.hu_low}, hu_high {self.hu_high}, pixel_mm {self.pixel_mm}"
            raise InputError(
                "the scale of a PNG", found, "hu_low below hu_high, pixel_mm above 0", "Correct it."
            )


def read_png(path: str | Path, scale: PngScale | None) -> tuple[np.ndarray, float]:
    """Read one slice from an 8- or 16-bit PNG.

    Returns
    -------
    hu : ndarray of float32, shape (1, rows, columns)
    pixel_mm : float

    Raises
    ------
    InputError
        If the file is missing, no PNG, truncated, too large, not square, in colour or transparent, or
        if no scale is given.
    """
    if scale is None:
        mend = "Fill in hu_low, hu_high and pixel_mm in the sheet."
        raise InputError(path, "a PNG without a scale", "what its grey values mean in HU", mend)
    _check_file(path)
    grey = _to_grey(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), path)
    step = (scale.hu_high - scale.hu_low) / np.iinfo(grey.dtype).max
    return (scale.hu_low + step * grey[None]).astype(np.float32), scale.pixel_mm


def _check_file(path: str | Path) -> None:
    if not Path(path).is_file():
        raise _refuse(path, "no such file", "Correct the path.")
    content = Path(path).read_bytes()
    if not content.startswith(SIGNATURE):
        raise _refuse(path, "a file of another format")
    if LAST_CHUNK not in content:
        raise _refuse(path, "a truncated PNG")
    width, height = struct.unpack(">II", content[16:24])
    if width != height or width > MAX_EDGE_PX:
        raise _refuse(path, f"a picture of {height} rows and {width} columns")


def _to_grey(pixels: np.ndarray | None, path: str | Path) -> np.ndarray:
    if pixels is None:
        raise _refuse(path, "a damaged PNG")
    if pixels.ndim == 2:
        return pixels
    if (pixels[..., :3] != pixels[..., :1]).any():
        raise _refuse(path, "colours", "Give the picture without overlays or colour map.")
    if (pixels[..., 3:] != np.iinfo(pixels.dtype).max).any():
        raise _refuse(path, "transparent pixels")
    return pixels[..., 0]


def _refuse(
    path: str | Path, found: str, mend: str = "Export the slice again, or leave it out."
) -> InputError:
    return InputError(path, found, f"a square grey PNG of up to {MAX_EDGE_PX} pixels a side", mend)
