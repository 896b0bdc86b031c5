"""Pictures of one scan each, and the masks of their tumours, as grey arrays of any size."""

import struct
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from medscale.errors import InputError

PNG_SIGNATURE, PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
JPEG_SIGNATURE, JPEG_SCAN, JPEG_END = b"\xff\xd8\xff", b"\xff\xda", b"\xff\xd9"
# Start-of-frame markers of JPEG: C0 to CF without C4 (tables), C8 (reserved) and CC (arithmetic coding).
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
MAX_EDGE_PX = 8192
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
    return _check_content(_read_bytes(path), path)


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
    content = _read_bytes(path)
    _check_content(content, path)
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise _refuse(path, "damaged pixels")
    if pixels.dtype != np.uint8:
        raise _refuse(
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
    merged = np.zeros(shape, np.uint8)
    for path in paths:
        mask = read_grey(path)
        check_same_size(mask.shape, shape, path)
        merged |= (mask >= HALF).astype(np.uint8)
    return merged


def check_same_size(found: Sequence[int], expected: Sequence[int], mask: str | Path) -> None:
    """Raise an `InputError` unless a mask has the (rows, columns) of its picture."""
    if tuple(found) != tuple(expected):
        sizes = [f"{rows} × {columns} pixels" for rows, columns in (found, expected)]
        mend = "Fetch the mask again, or take picture and mask away."
        raise InputError(mask, sizes[0], f"{sizes[1]}, as the picture that it is the mask of", mend)


def resize_grey(values: np.ndarray, size_px: int) -> np.ndarray:
    """Stretch a picture to a square, as the network sees it; its proportions are not kept.

    An axis that shrinks is averaged over areas, one that grows is interpolated linearly.

    Parameters
    ----------
    values : ndarray of uint8 or float32, shape (rows, columns)
    size_px : int
        Edge of the square.

    Returns
    -------
    ndarray of the same type, shape (size_px, size_px)
    """
    rows, columns = values.shape
    # In two steps, because OpenCV averages over areas only where neither axis grows.
    smaller = cv2.resize(values, (min(columns, size_px), min(rows, size_px)), interpolation=cv2.INTER_AREA)
    return cv2.resize(smaller, (size_px, size_px), interpolation=cv2.INTER_LINEAR)


def resize_mask(mask: np.ndarray, size_px: int) -> np.ndarray:
    """Stretch a mask of 0 and 1 as `resize_grey` does its picture: 1 where at least half of a pixel is.

    Parameters
    ----------
    mask : ndarray of uint8, shape (rows, columns)

    Returns
    -------
    ndarray of uint8, shape (size_px, size_px)
    """
    return (resize_grey(mask.astype(np.float32), size_px) >= 0.5).astype(np.uint8)


def to_unit(grey: np.ndarray) -> np.ndarray:
    """Return grey values of uint8 as float32 from 0 (black) to 1 (white)."""
    return grey.astype(np.float32) / WHITE


def read_sample(path: str | Path, masks: Sequence[str | Path], size_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Read a picture and its merged masks, each file once, and stretch both to a square.

    Returns
    -------
    grey, mask : ndarray of uint8, shape (size_px, size_px)
        The picture from 0 to 255 (`to_unit` makes it float32), and 1 where there is tumour.

    Raises
    ------
    InputError
        As `read_grey` and `read_mask`.
    """
    grey = read_grey(path)
    mask = read_mask(masks, grey.shape)
    return resize_grey(grey, size_px), resize_mask(mask, size_px)


def _read_bytes(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise _refuse(path, f"no readable file ({reason})", "Correct the path.") from error


def _check_content(content: bytes, path: str | Path) -> tuple[int, int]:
    if content.startswith(PNG_SIGNATURE):
        whole, size = PNG_END in content, _png_size(content)
    elif content.startswith(JPEG_SIGNATURE):
        # Behind the last scan, because a thumbnail in the header has an end of its own.
        whole, size = content.rfind(JPEG_END) > content.rfind(JPEG_SCAN) > 0, _jpeg_size(content)
    else:
        raise _refuse(path, f"a file that begins with {content[:8]!r}")
    if not whole or size is None:
        raise _refuse(path, "a truncated picture")
    if not all(1 <= edge <= MAX_EDGE_PX for edge in size):
        raise _refuse(path, f"{size[0]} × {size[1]} pixels")
    return size


def _png_size(content: bytes) -> tuple[int, int] | None:
    if len(content) < 24:
        return None
    columns, rows = struct.unpack(">II", content[16:24])
    return rows, columns


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    """Return (rows, columns) from the first frame header; None where there is none."""
    place = 2
    while place + 9 <= len(content) and content[place] == 0xFF:
        marker = content[place + 1]
        if marker in JPEG_FRAMES:
            rows, columns = struct.unpack(">HH", content[place + 5 : place + 9])
            return rows, columns
        # Padding before a marker is one byte; every other part of the header says its length.
        padding = marker == 0xFF
        place += 1 if padding else 2 + int.from_bytes(content[place + 2 : place + 4], "big")
    return None


def _to_grey(pixels: np.ndarray) -> np.ndarray:
    """Return grey, uint8, for the channels that OpenCV decodes: grey, BGR or BGR with opacity."""
    if pixels.ndim == 2:
        return pixels
    grey = cv2.cvtColor(np.ascontiguousarray(pixels[..., :3]), cv2.COLOR_BGR2GRAY)
    if pixels.shape[2] == 3:
        return grey
    return np.rint(grey * (pixels[..., 3] / np.float32(WHITE))).astype(np.uint8)


def _refuse(path: str | Path, found: str, mend: str = "Fetch the file again, or take it away.") -> InputError:
    expected = f"a whole PNG or JPEG of 8 bit, of up to {MAX_EDGE_PX} pixels a side"
    return InputError(path, found, expected, mend)
