"""NIfTI volumes that are made slice by slice, whichever way their file runs.

A NIfTI file stores its last axis slowest, and slices may run along any. Where they run along the first, as in
KiTS19, the first bytes of the file need a voxel of every slice. So slices go to a temporary file, and are
read back across, a slab at a time: memory does not grow with their number.
"""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import nibabel
import numpy as np
from nibabel.orientations import apply_orientation, axcodes2ornt, io_orientation, ornt_transform

from medscale.files.atomic import atomic_path
from medscale.files.volumes import describe_nifti, open_for_writing

SLAB_BYTES = 2**24


def write_slices(
    slices: Iterable[np.ndarray],
    axes: str,
    shape: tuple[int, int, int],
    affine: np.ndarray,
    dtype: np.dtype | type,
    path: str | Path,
) -> None:
    """Write slices as one `.nii` or `.nii.gz`; the same bytes as `write_nifti` of the whole volume.

    Parameters
    ----------
    slices : iterable of ndarray, shape (rows, columns)
        In their order; each is taken only when the one before is stored.
    axes : str
        Where slices, rows and columns run to, as nibabel's axis codes: "IPL" for slices to the feet, rows to
        the back and columns to the left.
    shape : (i, j, k)
        Of the file.
    affine : ndarray, shape (4, 4)
        Of the file, in mm. An oblique one counts as the nearest upright one.
    dtype : dtype
        Of slices and file.

    Raises
    ------
    ValueError
        If the slices are not as many or as large as the file's shape asks for.
    """
    path, dtype = Path(path), np.dtype(dtype)
    order = ornt_transform(axcodes2ornt(axes), io_orientation(affine))
    own_shape = tuple(shape[int(axis)] for axis in order[:, 0])
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=path.parent) as spool:
        _store(slices, own_shape, dtype, spool)
        image = describe_nifti(np.broadcast_to(dtype.type(0), shape), affine)
        with atomic_path(path) as temporary, open_for_writing(temporary) as file:
            _write_header(image, file)
            for slab in _slabs(spool, own_shape, dtype, order):
                for place in range(slab.shape[2]):
                    file.write(slab[:, :, place].tobytes(order="F"))


def _store(slices: Iterable[np.ndarray], shape: tuple[int, ...], dtype: np.dtype, spool: BinaryIO) -> None:
    count = 0
    for values in slices:
        if values.shape != shape[1:]:
            raise ValueError(f"a slice of the shape {values.shape}, not {shape[1:]}")
        spool.write(values.astype(dtype, copy=False).tobytes())
        count += 1
    if count != shape[0]:
        raise ValueError(f"{count} slices, not {shape[0]}")
    spool.flush()


def _write_header(image: nibabel.Nifti1Image, file: BinaryIO) -> None:
    """Write what stands before the voxels, as nibabel does when it writes them together."""
    image.update_header()
    image.header.set_slope_inter(1, 0)
    image.header.write_to(file)
    file.write(bytes(image.header.get_data_offset() - file.tell()))


def _slabs(
    spool: BinaryIO, shape: tuple[int, ...], dtype: np.dtype, order: np.ndarray
) -> Iterator[np.ndarray]:
    """Yield slabs (i, j, some k) in the axis order of the file, from its first k to its last."""
    (axis,) = np.flatnonzero(order[:, 0] == 2)
    length = shape[axis]
    step = max(1, SLAB_BYTES * length // (dtype.itemsize * int(np.prod(shape, dtype=np.int64))))
    starts = range(0, length, step)
    backwards = order[axis, 1] < 0
    for start in reversed(starts) if backwards else starts:
        box = _read_box(spool, shape, dtype, int(axis), start, min(start + step, length))
        yield apply_orientation(box, order)


def _read_box(
    spool: BinaryIO, shape: tuple[int, ...], dtype: np.dtype, axis: int, start: int, end: int
) -> np.ndarray:
    """Return all slices, rows or columns from `start` to `end` (not included), by `axis`."""
    slices, rows, columns = shape
    if axis == 0:
        return _read(spool, start * rows * columns, (end - start, rows, columns), dtype)
    if axis == 1:
        size = (end - start, columns)
        parts = [_read(spool, (s * rows + start) * columns, size, dtype) for s in range(slices)]
    else:
        size = (rows, columns)
        parts = [_read(spool, s * rows * columns, size, dtype)[:, start:end].copy() for s in range(slices)]
    return np.stack(parts)


def _read(spool: BinaryIO, first: int, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    spool.seek(first * dtype.itemsize)
    return np.frombuffer(spool.read(int(np.prod(shape)) * dtype.itemsize), dtype).reshape(shape)
