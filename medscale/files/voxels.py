"""Voxels of large NIfTI files, unpacked once and kept in as few bytes as they need."""

import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from medscale.errors import InputError
from medscale.files.volumes import CHUNK_BYTES, FETCH_AGAIN, READ_ERRORS, Volume, affine_mm, open_header

# No deflated file unpacks to more than this many times its size (zlib's technical notes).
MOST_PACKED = 1032
# zlib's name for a gzip file with header and checksum.
GZIP = 31
PACKED_BYTES = 2**18


def read_voxels(path: str | Path) -> Volume:
    """Read a NIfTI volume, whole numbers in their own data type and all others as float32.

    `read_nifti` unpacks a file twice, to see that it is whole before memory is taken for it, and makes
    float32 of whole numbers too. Here the file is unpacked once, straight into the volume, which holds the
    only copy.

    Raises
    ------
    InputError
        As `read_nifti`.
    """
    image = open_header(path)
    slope, intercept = image.dataobj.slope, image.dataobj.inter
    stored = image.get_data_dtype()
    scaled = (slope, intercept) != (1, 0)
    kept = np.dtype("f4") if scaled or stored.kind == "f" else stored.newbyteorder("=")
    count, offset = math.prod(image.shape), image.dataobj.offset
    needed = offset + count * stored.itemsize
    _check_possible(path, needed)
    try:
        values = np.empty(count, kept)
        with _open(path) as file:
            _fill(file, memoryview(bytearray(offset)))
            if scaled or kept != stored:
                present = _convert(file, values, stored, slope, intercept)
            else:
                present = _fill(file, memoryview(values).cast("B"))
            _read_to_the_end(file)
    except READ_ERRORS as error:
        raise _refuse(path, f"a damaged or truncated file ({error})") from error
    if present < count * stored.itemsize:
        found = f"{present + offset} bytes cannot hold the {needed} that it promises"
        raise _refuse(path, f"a truncated file: {found}")
    return Volume(values.reshape(image.shape[:3], order="F"), affine_mm(image))


def _check_possible(path: str | Path, needed: int) -> None:
    """Refuse, before memory is taken for it, a file that cannot hold what its header promises."""
    packed = str(path).lower().endswith(".gz")
    most = Path(path).stat().st_size * (MOST_PACKED if packed else 1)
    if needed > most:
        raise _refuse(
            path, f"a truncated file: {most} bytes at most cannot hold the {needed} that it promises"
        )


class _Unpacked:
    """The content of a gzip file, read into place, with its checksums tested.

    `gzip` of Python 3.11 unpacks 8 KiB at a time and moves each byte three times, which costs a quarter of
    the unpacking itself.
    """

    def __init__(self, file: BinaryIO):
        self._file, self._packed, self._decoder = file, b"", zlib.decompressobj(GZIP)

    def readinto(self, room: memoryview) -> int:
        """Fill some of `room`; return how much of it, 0 at the end of the file."""
        unpacked = b""
        while not unpacked:
            if self._decoder.eof and not self._begin_next_part():
                return 0
            packed = self._packed or self._file.read(PACKED_BYTES)
            if not packed:
                raise EOFError("the packed file ends too early")
            unpacked = self._decoder.decompress(packed, len(room))
            self._packed = self._decoder.unconsumed_tail
        room[: len(unpacked)] = unpacked
        return len(unpacked)

    def _begin_next_part(self) -> bool:
        """Turn to what follows a part that has ended, unless it is nothing but padding."""
        rest = self._decoder.unused_data
        while not rest.strip(b"\0"):
            rest = self._file.read(PACKED_BYTES)
            if not rest:
                return False
        self._packed, self._decoder = rest.lstrip(b"\0"), zlib.decompressobj(GZIP)
        return True


@contextmanager
def _open(path: str | Path) -> Iterator[BinaryIO | _Unpacked]:
    with open(path, "rb") as file:
        yield _Unpacked(file) if str(path).lower().endswith(".gz") else file


def _fill(file: BinaryIO | _Unpacked, room: memoryview) -> int:
    """Read into `room` until it is full or the file ends; return the number of bytes."""
    done = 0
    while done < len(room) and (read := file.readinto(room[done : done + CHUNK_BYTES])):
        done += read
    return done


def _convert(
    file: BinaryIO | _Unpacked, values: np.ndarray, stored: np.dtype, slope: float, intercept: float
) -> int:
    """Read numbers of another kind into `values`, a chunk at a time; return the number of bytes."""
    room = np.empty(CHUNK_BYTES // stored.itemsize, stored)
    present = 0
    with np.errstate(over="ignore"):
        for first in range(0, len(values), len(room)):
            part = room[: len(values) - first]
            present += _fill(file, memoryview(part.view("u1")))
            part = part if (slope, intercept) == (1, 0) else part * float(slope) + float(intercept)
            values[first : first + len(part)] = part
    return present


def _read_to_the_end(file: BinaryIO | _Unpacked) -> None:
    """Read what follows the voxels, since a packed file's checksum is tested at its end."""
    room = memoryview(bytearray(CHUNK_BYTES))
    while file.readinto(room):
        pass


def _refuse(path: str | Path, found: str) -> InputError:
    return InputError(path, found, "a whole three-dimensional NIfTI volume (.nii or .nii.gz)", FETCH_AGAIN)
