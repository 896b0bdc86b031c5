"""Whole files of pictures, PNG or JPEG, and what their headers say."""

import struct
from pathlib import Path

from medscale.errors import InputError

PNG_SIGNATURE, PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
JPEG_SIGNATURE, JPEG_SCAN, JPEG_END = b"\xff\xd8\xff", b"\xff\xda", b"\xff\xd9"
# Start-of-frame markers of JPEG: C0 to CF without C4 (tables), C8 (reserved) and CC (arithmetic coding).
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
MAX_EDGE_PX = 8192


def read_picture(path: str | Path) -> tuple[bytes, tuple[int, int]]:
    """Read a file that holds a picture.

    Returns
    -------
    content : bytes
    size : (rows, columns)
        From its header.

    Raises
    ------
    InputError
        If the file is missing, neither PNG nor JPEG, truncated, or larger than 8192 pixels a side.
    """
    content = _read_bytes(path)
    return content, _check_content(content, path)


def is_jpeg(content: bytes) -> bool:
    """Return whether a picture that `read_picture` read is a JPEG."""
    return content.startswith(JPEG_SIGNATURE)


def refuse_picture(
    path: str | Path, found: str, mend: str = "Fetch the file again, or take it away."
) -> InputError:
    """Return the error for a file that is no picture that can be read."""
    expected = f"a whole PNG or JPEG of 8 bit, of up to {MAX_EDGE_PX} pixels a side"
    return InputError(path, found, expected, mend)


def _read_bytes(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise refuse_picture(path, f"no readable file ({reason})", "Correct the path.") from error


def _check_content(content: bytes, path: str | Path) -> tuple[int, int]:
    if content.startswith(PNG_SIGNATURE):
        whole, size = content.rfind(PNG_END) > 0, _png_size(content)
    elif content.startswith(JPEG_SIGNATURE):
        # Behind the last scan, because a thumbnail in the header has an end of its own.
        whole, size = content.rfind(JPEG_END) > content.rfind(JPEG_SCAN) > 0, _jpeg_size(content)
    else:
        raise refuse_picture(path, f"a file that begins with {content[:8]!r}")
    if not whole or size is None:
        raise refuse_picture(path, "a truncated picture")
    if not all(1 <= edge <= MAX_EDGE_PX for edge in size):
        raise refuse_picture(path, f"{size[0]} × {size[1]} pixels")
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
