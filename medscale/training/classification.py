"""Training a network to tell two classes apart."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torchmetrics.classification import BinaryAUROC

from medscale.training.augmentation import DIHEDRAL_ELEMENTS, draw_uniform, jitter_stain, turn_and_flip
from medscale.training.optimisation import Optimisation, build_optimiser
from medscale.training.recorded_task import RecordedTask
from medscale.training.running_mean import RunningMean

# Mean and spread of ImageNet, which torchvision's weights expect.
MEAN = (0.485, 0.456, 0.406)
SPREAD = (0.229, 0.224, 0.225)


def normalise(images: Tensor) -> Tensor:
    """Standardise RGB images (n, 3, height, width) in [0, 1] as torchvision's networks expect."""
    mean = torch.tensor(MEAN, device=images.device)[:, None, None]
    spread = torch.tensor(SPREAD, device=images.device)[:, None, None]
    return (images - mean) / spread


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


class Classification(RecordedTask):
    """Cross entropy of one logit, with the history of every epoch.

    Parameters
    ----------
    network : nn.Module
        Images (n, 3, size, size) to logits (n, 1).
    """

    def __init__(self, network: nn.Module, optimisation: Optimisation, augmentation: Augmentation):
        super().__init__()
        self.network, self.optimisation, self.augmentation = network, optimisation, augmentation
        self.validation_auc = BinaryAUROC()
        self._train, self._validation = RunningMean(), RunningMean()
        self._classes_watched: set[float] = set()

    def training_step(self, batch: PatchBatch, _: int) -> Tensor:
        images = self.augmentation.apply(batch, self.current_epoch)
        logits = self.network(normalise(images)).squeeze(1)
        loss = nn.functional.binary_cross_entropy_with_logits(logits, batch.labels)
        self._train.add(loss, len(logits))
        return loss

    def validation_step(self, batch: PatchBatch, _: int) -> None:
        logits = self.network(normalise(batch.images.float() / 255)).squeeze(1)
        loss = nn.functional.binary_cross_entropy_with_logits(logits, batch.labels)
        self._validation.add(loss, len(logits))
        self.validation_auc.update(logits, batch.labels.long())
        self._classes_watched |= set(batch.labels.unique().tolist())

    def on_train_epoch_end(self) -> None:
        record = {"epoch": self.current_epoch + 1, "train_loss": self._train.take()}
        if self._validation.weight:
            record["validation_loss"] = self._validation.take()
            if len(self._classes_watched) > 1:
                record["validation_auc"] = float(self.validation_auc.compute())
            self.validation_auc.reset()
        self.history.append(record)

    def configure_optimizers(self):
        optimiser = build_optimiser(self.network, self.optimisation)
        if self.optimisation.schedule == "constant":
            return optimiser
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, self.count_updates())
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def transfer_batch_to_device(self, batch: PatchBatch, device: torch.device, _: int) -> PatchBatch:
        images, labels = (
            batch.images.to(device, non_blocking=True),
            batch.labels.to(device, non_blocking=True),
        )
        return PatchBatch(images, labels, batch.elements, batch.seeds)
