"""Training a network to tell two classes apart."""

from dataclasses import dataclass, field

import lightning
import numpy as np
import torch
from torch import Tensor, nn
from torchmetrics.classification import BinaryAUROC

from medscale.training.augmentation import DIHEDRAL_ELEMENTS, draw_uniform, jitter_stain, turn_and_flip

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
class Optimisation:
    """How the weights move.

    Attributes
    ----------
    optimiser : {"adam", "sgd"}
    learning_rate : float
    schedule : {"constant", "cosine"}
        `cosine` lets the learning rate fall to zero over all steps.
    momentum : float
        Nesterov momentum of `sgd`.
    weight_decay : float
    """

    optimiser: str = "adam"
    learning_rate: float = 1e-4
    schedule: str = "constant"
    momentum: float = 0.9
    weight_decay: float = 0.0


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


class Classification(lightning.LightningModule):
    """Cross entropy of one logit, with the history of every epoch.

    Parameters
    ----------
    network : nn.Module
        Images (n, 3, size, size) to logits (n, 1).
    """

    def __init__(self, network: nn.Module, optimisation: Optimisation, augmentation: Augmentation):
        super().__init__()
        self.network, self.optimisation, self.augmentation = network, optimisation, augmentation
        self.history: list[dict[str, float]] = []
        self.validation_auc = BinaryAUROC()
        self._train, self._validation = _Mean(), _Mean()
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
        steps = self.trainer.estimated_stepping_batches
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def transfer_batch_to_device(self, batch: PatchBatch, device: torch.device, _: int) -> PatchBatch:
        images, labels = (
            batch.images.to(device, non_blocking=True),
            batch.labels.to(device, non_blocking=True),
        )
        return PatchBatch(images, labels, batch.elements, batch.seeds)

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        checkpoint["history"] = self.history

    def on_load_checkpoint(self, checkpoint: dict) -> None:
        self.history = checkpoint["history"]


def build_optimiser(network: nn.Module, settings: Optimisation) -> torch.optim.Optimizer:
    """Return the optimiser that `settings` name, over all weights of `network`."""
    if settings.optimiser == "sgd":
        return torch.optim.SGD(
            network.parameters(),
            lr=settings.learning_rate,
            momentum=settings.momentum,
            nesterov=settings.momentum > 0,
            weight_decay=settings.weight_decay,
        )
    return torch.optim.Adam(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )


@dataclass
class _Mean:
    """Weighted mean of losses that stays on the device until it is asked for."""

    total: Tensor | float = field(default=0.0)
    weight: int = 0

    def add(self, value: Tensor, weight: int) -> None:
        self.total = self.total + value.detach() * weight
        self.weight += weight

    def take(self) -> float:
        mean = float(self.total) / self.weight
        self.total, self.weight = 0.0, 0
        return mean
