"""Where the slices of training samples come from: memory, or the files of prepared cases."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from medscale.errors import InputError
from medscale.kits19.prepared_files import read_block, read_size, read_slices

# Of a pixel, the image and the label.
BYTES_PER_PIXEL = 2


@dataclass(frozen=True)
class Stretches:
    """Neighbouring slices of cases, all stretches of one length; a single slice has length 1.

    Attributes
    ----------
    cases : ndarray of str, shape (n,)
    first : ndarray of int64, shape (n,)
        Number of the first slice. What lies behind the last one of the case is empty.
    depth : int
        Slices in each.
    """

    cases: np.ndarray
    first: np.ndarray
    depth: int

    @classmethod
    def of(cls, table: pd.DataFrame, depth: int | None) -> "Stretches":
        """Return those of a table of slices (case, slice) or of blocks (case, first) of this depth."""
        first = table["slice" if depth is None else "first"].to_numpy(np.int64)
        return cls(table["case"].to_numpy(str), first, depth or 1)

    def slices_of(self, rows: np.ndarray) -> np.ndarray:
        """Return the numbers of all slices, also empty ones, of some stretches; shape (len(rows), depth)."""
        return self.first[rows, None] + np.arange(self.depth)


class StoredSlices:
    """Slices that are read when they are needed."""

    def __init__(self, stretches: Stretches, prepared: Mapping[str, Path]):
        self.stretches, self.prepared = stretches, prepared

    def pick(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return images and labels of stretches, both uint8 of shape (n, depth, size, size)."""
        parts = [self._read(str(self.stretches.cases[row]), int(self.stretches.first[row])) for row in rows]
        if not parts:
            images, labels = self._read(str(self.stretches.cases[0]), int(self.stretches.first[0]))
            return images[None][:0], labels[None][:0]
        images, labels = zip(*parts, strict=True)
        return torch.stack(images), torch.stack(labels)

    def _read(self, case: str, first: int) -> tuple[Tensor, Tensor]:
        path = self.prepared[case]
        return _labelled(path, *read_block(path, first, self.stretches.depth))


@dataclass(frozen=True)
class KeptSlices:
    """Slices in memory, each once; processes of one training share it, since these are tensors.

    Attributes
    ----------
    images, labels : Tensor of uint8, shape (count, size, size)
        The last one is empty.
    places : Tensor of int64, shape (stretches, depth)
        Which of them a stretch is made of.
    """

    images: Tensor
    labels: Tensor
    places: Tensor

    def pick(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return images and labels of stretches, both uint8 of shape (n, depth, size, size)."""
        places = self.places[torch.from_numpy(rows)]
        return self.images[places], self.labels[places]


def find_source(
    stretches: Stretches, prepared: Mapping[str, Path], size_px: int, memory_gb: float
) -> KeptSlices | StoredSlices:
    """Return all slices that are needed, in memory if they fit.

    Raises
    ------
    InputError
        If a case that is read has no labels, or a stretch begins outside its case.
    """
    wanted = {
        case: _wanted(stretches, case, prepared[case]) for case in dict.fromkeys(stretches.cases.tolist())
    }
    count = sum(len(slices) for slices in wanted.values()) + 1
    if count * size_px**2 * BYTES_PER_PIXEL > memory_gb * 1e9:
        return StoredSlices(stretches, prepared)
    return _keep(stretches, wanted, prepared, torch.zeros(2, count, size_px, size_px, dtype=torch.uint8))


def _keep(
    stretches: Stretches, wanted: Mapping[str, np.ndarray], prepared: Mapping[str, Path], empty: Tensor
) -> KeptSlices:
    images, labels = empty
    places = np.full((len(stretches.first), stretches.depth), len(images) - 1)
    begin = 0
    for case, slices in wanted.items():
        end = begin + len(slices)
        path = prepared[case]
        images[begin:end], labels[begin:end] = _labelled(path, *read_slices(path, slices))
        rows = np.flatnonzero(stretches.cases == case)
        needed = stretches.slices_of(rows)
        places[rows] = np.where(needed <= slices[-1], begin + np.searchsorted(slices, needed), places[rows])
        begin = end
    return KeptSlices(images, labels, torch.from_numpy(places))


def _wanted(stretches: Stretches, case: str, path: Path) -> np.ndarray:
    """Return the numbers of the slices of a case that are needed, in order."""
    rows, (count, _) = np.flatnonzero(stretches.cases == case), read_size(path)
    first = stretches.first[rows]
    if first.min() < 0 or first.max() >= count:
        found = f"{count} slices, but samples that begin at slices {first.min()} to {first.max()}"
        raise InputError(path, found, "samples inside the case", "Delete the tables and run again.")
    needed = np.unique(stretches.slices_of(rows))
    return needed[needed < count]


def _labelled(path: Path, images: np.ndarray, labels: np.ndarray | None) -> tuple[Tensor, Tensor]:
    if labels is None:
        mend = "Name its segmentation in the case sheet, or move it to the test split."
        raise InputError(path, "a case without labels", "labels, to train on it", mend)
    return torch.from_numpy(images), torch.from_numpy(labels)
