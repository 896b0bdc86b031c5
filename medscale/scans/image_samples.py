"""Prepared images as batches for a training."""

from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from medscale.seeds import derive_seed
from medscale.training.batches import EpochBatches
from medscale.training.mask_segmentation import MaskBatch
from medscale.training.scan_feeds import ImageBatch, VolumeBatch

Batch = TypeVar("Batch", ImageBatch, MaskBatch, VolumeBatch)


class Samples(Dataset[Batch], Generic[Batch]):
    """Arrays in memory by the numbers `pass * samples + sample`; given a list of them, it returns a batch.

    The seed of a sample depends on its number, so that each pass augments it in another way.

    Parameters
    ----------
    batch : type
        Called with the rows of each array as tensors, and the seeds.
    arrays : sequence of ndarray
        One row a sample in each.
    seed : int
        For the seeds of the samples.
    """

    def __init__(self, batch: type[Batch], arrays: tuple[np.ndarray, ...], seed: int):
        self.batch, self.arrays, self.seed = batch, arrays, seed

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, numbers: list[int]) -> Batch:
        rows = np.asarray(numbers, np.int64) % len(self)
        seeds = np.array([derive_seed(self.seed, number) for number in numbers], np.int64)
        return self.batch(*(_to_tensor(array[rows]) for array in self.arrays), seeds)


def image_samples(images: np.ndarray, labels: np.ndarray, seed: int = 0) -> Samples[ImageBatch]:
    """Return images with their classes as samples.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, size, size)
    labels : ndarray of int64, shape (n,)
        Numbers of the classes.
    """
    return Samples(ImageBatch, (images, labels), seed)


def mask_samples(
    images: np.ndarray, masks: np.ndarray, kept: np.ndarray, seed: int = 0
) -> Samples[MaskBatch]:
    """Return images with their masks as samples.

    Parameters
    ----------
    images, masks : ndarray of uint8, shape (n, size, size)
        Masks hold 0 and 1.
    kept : ndarray of bool, shape (n,)
        False where the network's output is emptied.
    """
    return Samples(MaskBatch, (images, masks, kept), seed)


def load_training(
    samples: Samples[Batch], batch_size: int, samples_per_epoch: int | None, seed: int
) -> DataLoader:
    """Return a loader of batches whose order `seed` draws; see `EpochBatches`."""
    order = EpochBatches(len(samples), batch_size, seed, samples_per_epoch, numbered=True)
    return DataLoader(samples, sampler=order, batch_size=None)


def load_watched(samples: Samples[Batch], batch_size: int) -> DataLoader | None:
    """Return a loader of all samples in their order; None if there are none."""
    numbers = list(range(len(samples)))
    batches = [numbers[first : first + batch_size] for first in range(0, len(numbers), batch_size)]
    return DataLoader(samples, sampler=batches, batch_size=None) if batches else None


def _to_tensor(rows: np.ndarray) -> Tensor:
    return torch.from_numpy(rows)
