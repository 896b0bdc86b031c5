"""Patches of slides as a network is fed with them: turned, stained anew, standardised."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from medscale.networks.imagenet import normalise
from medscale.training.augmentation import DIHEDRAL_ELEMENTS, draw_uniform, jitter_stain, turn_and_flip


@dataclass
class PatchBatch:
    """One batch as the loader hands it over.

    Attributes
    ----------
    images : Tensor of uint8, shape (n, 3, size, size)
    labels : Tensor of float32, shape (n,)
    elements : ndarray of int64, shape (n,)
        The manifest's `augmentation`: elements of D4.
    seeds : ndarray of int64, shape (n,)
    """

    images: Tensor
    labels: Tensor
    elements: np.ndarray
    seeds: np.ndarray

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device) -> "PatchBatch":
        """Return the batch on `device`."""
        images, labels = (part.to(device, non_blocking=True) for part in (self.images, self.labels))
        return PatchBatch(images, labels, self.elements, self.seeds)


@dataclass(frozen=True)
class Augmentation:
    """What happens to a sample each epoch, beside the manifest's own `augmentation`.

    Attributes
    ----------
    dihedral : bool
        Turn and flip at random.
    stain_scale, stain_shift : float
        See `jitter_stain`.
    """

    dihedral: bool = False
    stain_scale: float = 0.0
    stain_shift: float = 0.0

    def apply(self, batch: PatchBatch, epoch: int) -> Tensor:
        """Return the batch's images as float32 in [0, 1], augmented."""
        uniform = draw_uniform(batch.seeds, epoch, 7)
        elements = batch.elements
        if self.dihedral:
            elements = np.floor(uniform[:, 0] * DIHEDRAL_ELEMENTS).astype(np.int64)
        device = batch.images.device
        images = turn_and_flip(batch.images, torch.from_numpy(elements).to(device)).float() / 255
        if self.stain_scale or self.stain_shift:
            numbers = torch.from_numpy(uniform[:, 1:]).to(device)
            images = jitter_stain(images, numbers, self.stain_scale, self.stain_shift)
        return images


@dataclass(frozen=True)
class PatchFeed:
    """Colour patches, standardised as torchvision's networks expect; see `Feed`.

    Attributes
    ----------
    augmentation : Augmentation
        Of training batches.
    """

    augmentation: Augmentation

    def train(self, batch: PatchBatch, epoch: int) -> tuple[Tensor]:
        """Return images (n, 3, size, size), augmented."""
        return (normalise(self.augmentation.apply(batch, epoch)),)

    def watch(self, batch: PatchBatch) -> tuple[Tensor]:
        """Return images (n, 3, size, size) as they are."""
        return (normalise(batch.images.float() / 255),)
