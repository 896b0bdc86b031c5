"""Prepared images: all pictures of a collection at one size with their masks, decoded once, as HDF5."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from medscale.errors import InputError
from medscale.files.atomic import atomic_path
from medscale.files.hdf5 import opened_hdf5
from medscale.scans.images import read_sample

# So many pictures are written at once, which bounds memory, and so many are handed to a thread together.
WAITING, TOGETHER = 64, 8
Sample = tuple[np.ndarray, np.ndarray, tuple[int, int]]
WHAT, EXPECTED = "prepared images", "an HDF5 file with images and masks, as prepare_images writes it"


@dataclass(frozen=True)
class PreparedImages:
    """The pictures of a collection, stretched to squares of one size.

    Attributes
    ----------
    names : tuple of str
    images : ndarray of uint8, shape (pictures, size, size)
        From 0 (black) to 255 (white).
    masks : ndarray of uint8, shape (pictures, size, size)
        1 where there is tumour, else 0.
    shapes : ndarray of int64, shape (pictures, 2)
        Rows and columns of the pictures before they were stretched.
    """

    names: tuple[str, ...]
    images: np.ndarray
    masks: np.ndarray
    shapes: np.ndarray

    @property
    def size_px(self) -> int:
        """Edge of every picture."""
        return self.images.shape[1]

    def pick(self, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the pictures with these names, and their masks, in this order.

        Returns
        -------
        images, masks : ndarray of uint8, shape (len(names), size, size)

        Raises
        ------
        InputError
            For a name that is not among the pictures.
        """
        rows = self.find(names)
        return self.images[rows], self.masks[rows]

    def find(self, names: Sequence[str]) -> np.ndarray:
        """Return the places of the pictures with these names, int64; errors as in `pick`."""
        rows = self._index.get_indexer(list(names))
        if (rows < 0).any():
            lacking = list(names)[int(np.argmin(rows))]
            mend = "Prepare the images of this sheet."
            raise InputError(f"image {lacking}", "no prepared image", "one for each line of the sheet", mend)
        return rows.astype(np.int64)

    @cached_property
    def _index(self) -> pd.Index:
        return pd.Index(self.names)


def prepare_images(
    images: Sequence[str],
    paths: Sequence[str | Path],
    masks: Sequence[Sequence[str | Path]],
    size_px: int,
    output: str | Path,
    workers: int = 2,
) -> None:
    """Read every picture and mask once, stretch them to squares, and write all into one file.

    Parameters
    ----------
    images : sequence of str
        Names of the pictures, each once.
    paths, masks : sequence
        The picture's file and those of its masks, in the same order.
    size_px : int
        Edge of the squares.
    workers : int
        Threads that read; the bytes that are written do not depend on it.

    Raises
    ------
    InputError
        As `read_sample`, for the first picture in order that cannot be used.
    """
    shape = (len(images), size_px, size_px)
    sizes = np.empty((len(images), 2), np.int64)
    with atomic_path(output) as temporary, h5py.File(temporary, "w", track_order=False) as file:
        stored = [file.create_dataset(name, shape, "u1") for name in ("images", "masks")]
        for rows, parts in _read_all(paths, masks, size_px, workers):
            stored[0][rows], stored[1][rows], sizes[rows] = parts
        file["names"] = np.char.encode(np.array(images, dtype=str), "utf-8")
        file["shapes"] = sizes


def read_prepared_images(path: str | Path) -> PreparedImages:
    """Return what `prepare_images` wrote.

    Raises
    ------
    InputError
        If the file is missing, damaged or lacks a part.
    """
    with opened_hdf5(path, WHAT, EXPECTED) as file:
        images, masks, shapes, names = (file[part][:] for part in ("images", "masks", "shapes", "names"))
    return PreparedImages(tuple(np.char.decode(names, "utf-8").tolist()), images, masks, shapes)


def _read_all(
    paths: Sequence[str | Path], masks: Sequence[Sequence[str | Path]], size_px: int, workers: int
) -> Iterator[tuple[slice, tuple[np.ndarray, ...]]]:
    """Yield which pictures come next, and their pixels, masks and sizes."""
    # Threads, because OpenCV and files let go of Python's lock, and processes would copy what they read.
    with ThreadPoolExecutor(workers) as pool:

        def start(first: int) -> Iterator[list[Sample]]:
            starts = range(first, min(first + WAITING, len(paths)), TOGETHER)
            parts = [slice(one, min(one + TOGETHER, first + WAITING)) for one in starts]
            return pool.map(lambda rows: _read_some(paths[rows], masks[rows], size_px), parts)

        samples = start(0)
        for first in range(0, len(paths), WAITING):
            # The next ones are read while these are written.
            following = start(first + WAITING)
            rows = slice(first, first + WAITING)
            yield rows, tuple(map(np.array, zip(*chain.from_iterable(samples), strict=True)))
            samples = following


def _read_some(
    paths: Sequence[str | Path], masks: Sequence[Sequence[str | Path]], size_px: int
) -> list[Sample]:
    return [read_sample(path, own, size_px) for path, own in zip(paths, masks, strict=True)]
