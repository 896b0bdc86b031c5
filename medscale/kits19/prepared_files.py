"""Prepared cases: windowed slices of one size with their labels, as HDF5 that is read slice by slice."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import h5py
import numpy as np

from medscale.errors import InputError
from medscale.files.atomic import atomic_path
from medscale.files.hdf5 import opened_hdf5

# What padding shows: air is the darkest that a window leaves, and belongs to the background.
AIR, BACKGROUND = 0, 0
WHAT = "prepared case"
EXPECTED = "an HDF5 file with slices and their attributes, as prepare_cases writes it"


@dataclass(frozen=True)
class PreparedInfo:
    """What a prepared case was made from, and how.

    Attributes
    ----------
    case : str
    original_shape : (slices, rows, columns)
        Of the case in KiTS19's orientation, before its slices were resized.
    spacing_mm : (slice, row, column)
        Distances between the voxels of the original.
    window_hu : (float, float)
        Hounsfield units that became 0 and 255.
    interpolation : str
        How slices were resized.
    """

    case: str
    original_shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    window_hu: tuple[float, float]
    interpolation: str


def write_prepared(
    path: str | Path,
    info: PreparedInfo,
    size_px: int,
    slices: Iterable[tuple[np.ndarray, np.ndarray | None]],
    *,
    labelled: bool,
) -> None:
    """Write a prepared case slice by slice, so that no more than one is held.

    Parameters
    ----------
    slices : iterable of (image, labels)
        Both uint8 of shape (size_px, size_px), as many as `info.original_shape` says; without labels the
        second is None.
    labelled : bool
        Whether the case has labels.
    """
    shape = (info.original_shape[0], size_px, size_px)
    names = ("image", "labels") if labelled else ("image",)
    with atomic_path(path) as temporary, h5py.File(temporary, "w", track_order=False) as file:
        stored = [file.create_dataset(name, shape, "u1", chunks=(1, *shape[1:])) for name in names]
        file.attrs.update(asdict(info))
        for number, pictures in zip(range(shape[0]), slices, strict=True):
            for data, picture in zip(stored, pictures, strict=False):
                data[number] = picture


def read_info(path: str | Path) -> PreparedInfo:
    """Return what a prepared case was made from.

    Raises
    ------
    InputError
        If the file is missing, damaged or lacks a part, as for all readers here.
    """
    with _opened(path) as file:
        found = {part.name: file.attrs[part.name] for part in fields(PreparedInfo)}
    plain = {name: tuple(value.tolist()) if np.ndim(value) else value for name, value in found.items()}
    return PreparedInfo(**plain)


def read_size(path: str | Path) -> tuple[int, int]:
    """Return the number of slices and the edge of a slice in pixels."""
    with _opened(path) as file:
        return file["image"].shape[:2]


def read_slices(path: str | Path, indices: Sequence[int]) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the slices with these numbers, in this order; one may be asked for twice.

    Returns
    -------
    image, labels : ndarray, uint8, shape (len(indices), size, size)
        Labels are None where the case has none.
    """
    with _opened(path) as file:
        return _pick(file["image"], indices), _pick(file["labels"], indices) if "labels" in file else None


def read_block(path: str | Path, first: int, depth: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Return `depth` neighbouring slices from slice `first` on.

    What lies beyond the last slice of the case is air and background.

    Returns
    -------
    image, labels : ndarray, uint8, shape (depth, size, size)
        Labels are None where the case has none.
    """
    with _opened(path) as file:
        image = _cut(file["image"], first, depth, AIR)
        return image, _cut(file["labels"], first, depth, BACKGROUND) if "labels" in file else None


def read_labels(path: str | Path) -> np.ndarray:
    """Return all labels of a case, uint8, shape (slices, size, size).

    Raises
    ------
    InputError
        If the case has none.
    """
    with _opened(path) as file:
        if "labels" in file:
            return file["labels"][:]
    mend = "Name its segmentation in the case sheet, or move it to the test split."
    raise InputError(path, "a case without labels", "labels, to train on it or to score it", mend)


def _opened(path: str | Path) -> AbstractContextManager[h5py.File]:
    return opened_hdf5(path, WHAT, EXPECTED)


def _pick(data: h5py.Dataset, indices: Sequence[int]) -> np.ndarray:
    picked = np.empty((len(indices), *data.shape[1:]), data.dtype)
    for place, number in enumerate(indices):
        picked[place] = data[range(len(data))[number]]
    return picked


def _cut(data: h5py.Dataset, first: int, depth: int, padding: int) -> np.ndarray:
    if not 0 <= first < len(data):
        raise IndexError(f"slice {first} of {len(data)}")
    block = np.full((depth, *data.shape[1:]), padding, data.dtype)
    present = data[first : first + depth]
    block[: len(present)] = present
    return block
