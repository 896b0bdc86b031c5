"""Grey images and volumes as a network is fed with them; each is a `Feed` of `Classification`."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from medscale.training.augmentation import draw_uniform
from medscale.training.spatial_augmentation import SpatialAugmentation


@dataclass
class ImageBatch:
    """Grey images as the loader hands them over.

    Attributes
    ----------
    images : Tensor of uint8, shape (n, rows, columns)
    labels : Tensor of int64, shape (n,)
        Numbers of the classes.
    seeds : ndarray of int64, shape (n,)
        For the augmentation.
    """

    images: Tensor
    labels: Tensor
    seeds: np.ndarray

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device) -> "ImageBatch":
        """Return the batch on `device`."""
        images, labels = (part.to(device, non_blocking=True) for part in (self.images, self.labels))
        return ImageBatch(images, labels, self.seeds)


@dataclass(frozen=True)
class ImageFeed:
    """Grey images as float32 (n, 1, rows, columns) in [0, 1].

    Attributes
    ----------
    augmentation : SpatialAugmentation, optional
        Of training batches; none by default.
    """

    augmentation: SpatialAugmentation | None = None

    def train(self, batch: ImageBatch, epoch: int) -> tuple[Tensor]:
        """Return the images, moved in a way that each sample's seed and the epoch choose."""
        images = batch.images.float() / 255
        if self.augmentation:
            images = self.augmentation.move_images(images, batch.seeds, epoch)
        return (images[:, None],)

    def watch(self, batch: ImageBatch) -> tuple[Tensor]:
        """Return the images as they are."""
        return ((batch.images.float() / 255)[:, None],)


@dataclass
class VolumeBatch:
    """Volumes with numbers that describe the persons, as the loader hands them over.

    Attributes
    ----------
    images : Tensor of float32, shape (n, channels, i, j, k)
        Standardised; axes along R, A, S.
    scores : Tensor of float32, shape (n, scores)
        Such as standardised ages; there may be none.
    labels : Tensor of int64, shape (n,)
        Numbers of the classes.
    seeds : ndarray of int64, shape (n,)
        For the flip.
    """

    images: Tensor
    scores: Tensor
    labels: Tensor
    seeds: np.ndarray

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device) -> "VolumeBatch":
        """Return the batch on `device`."""
        parts = (part.to(device, non_blocking=True) for part in (self.images, self.scores, self.labels))
        return VolumeBatch(*parts, self.seeds)


@dataclass(frozen=True)
class VolumeFeed:
    """Volumes (n, channels, i, j, k) and scores (n, scores), both as they come.

    Attributes
    ----------
    flip : bool
        Exchange left and right, the axis i, in half of the training samples of an epoch.
    """

    flip: bool = False

    def train(self, batch: VolumeBatch, epoch: int) -> tuple[Tensor, Tensor]:
        """Return volumes, flipped if each sample's seed and the epoch say so, and scores."""
        if not self.flip:
            return self.watch(batch)
        chosen = torch.from_numpy(draw_uniform(batch.seeds, epoch, 1)[:, 0] < 0.5).to(batch.images.device)
        flipped = torch.where(chosen[:, None, None, None, None], batch.images.flip(2), batch.images)
        return flipped, batch.scores

    def watch(self, batch: VolumeBatch) -> tuple[Tensor, Tensor]:
        """Return volumes and scores as they are."""
        return batch.images, batch.scores
