"""Pairs of a sparse-view reconstruction and its original, as a network is trained on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from medscale.errors import InputError
from medscale.seeds import generator
from medscale.sparse_ct.images import StoredSlices
from medscale.sparse_ct.window import normalise
from medscale.training.batches import EpochBatches
from medscale.training.restoration import PairBatch

SIZINGS = ("crop", "resize")


@dataclass(frozen=True)
class Sizing:
    """How slices become training images of one size.

    Attributes
    ----------
    kind : {"crop", "resize"}
        A square at a random place, or the whole slice, bilinearly scaled (thesis, section 3.3.1).
    size_px : int
    """

    kind: str
    size_px: int


class PairDataset(Dataset[PairBatch]):
    """Training images by the numbers `pass * slices + slice`; each pass crops elsewhere.

    Parameters
    ----------
    inputs, targets : sequence of str or Path
        Files of the sparse-view reconstructions and of the originals, in the same order.
    window_hu : (float, float)
        Hounsfield units that become 0 and 1.
    seed : int
        Draws the crops.

    Raises
    ------
    InputError
        If a crop is larger than an image, or a pair does not fit together.
    """

    def __init__(
        self,
        inputs: Sequence[str | Path],
        targets: Sequence[str | Path],
        window_hu: tuple[float, float],
        sizing: Sizing,
        seed: int,
    ):
        self.window_hu, self.sizing, self.seed = window_hu, sizing, seed
        self._pairs = []
        for input_path, target_path in zip(inputs, targets, strict=True):
            sparse, full = StoredSlices(input_path), StoredSlices(target_path)
            _check_pair(sparse, full, sizing)
            self._pairs += [(sparse, full, number) for number in range(len(full))]

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, numbers: list[int]) -> PairBatch:
        pairs = [self._pair(number) for number in numbers]
        return PairBatch(
            torch.stack([sparse for sparse, _ in pairs]), torch.stack([full for _, full in pairs])
        )

    def _pair(self, number: int) -> tuple[Tensor, Tensor]:
        times, place = divmod(number, len(self))
        sparse, full, slice_number = self._pairs[place]
        both = np.stack([sparse[slice_number], full[slice_number]])
        images = torch.from_numpy(normalise(both, self.window_hu))[:, None]
        size = self.sizing.size_px
        if self.sizing.kind == "resize":
            images = nn.functional.interpolate(images, (size, size), mode="bilinear")
        else:
            rng = generator(self.seed, "crop", place, times)
            row, column = rng.integers(0, images.shape[-1] - size + 1, 2)
            images = images[..., row : row + size, column : column + size]
        return images[0], images[1]


def load_pairs(dataset: PairDataset, batches: EpochBatches | list[list[int]]) -> DataLoader:
    """Return a loader of `PairBatch`."""
    return DataLoader(dataset, sampler=batches, batch_size=None)


def _check_pair(sparse: StoredSlices, full: StoredSlices, sizing: Sizing) -> None:
    if (len(sparse), sparse.size_px) != (len(full), full.size_px):
        raise InputError(
            sparse.path,
            f"{len(sparse)} slices of {sparse.size_px} pixels",
            f"{len(full)} slices of {full.size_px} pixels, as in {full.path}",
            "Delete both files and run again.",
        )
    if sizing.kind == "crop" and sizing.size_px > full.size_px:
        raise InputError(
            full.path,
            f"slices of {full.size_px} x {full.size_px} pixels",
            f"at least {sizing.size_px}, the crop that training asks for (sparse_ct.denoiser.size_px)",
            "Choose a smaller crop, or leave the image out.",
        )
