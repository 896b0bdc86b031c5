"""Training a network to tell the classes of all pixels or voxels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from medscale.training.optimisation import Optimisation, Pace, build_optimiser
from medscale.training.pooling import sum_over_processes
from medscale.training.recorded_task import RecordedTask
from medscale.training.segmentation_losses import PooledLoss, overlap_sums, tversky_index
from medscale.training.spatial_augmentation import SpatialAugmentation

MEMORY_FORMATS = {2: torch.channels_last, 3: torch.channels_last_3d}


@dataclass
class SegmentationBatch:
    """One batch as the loader hands it over; n may be 0 where several processes share it.

    Attributes
    ----------
    images : Tensor of uint8, shape (n, rows, columns) or (n, slices, rows, columns)
    labels : Tensor of uint8, the same shape
        Numbers of the classes.
    seeds : ndarray of int64, shape (n,)
        For the augmentation.
    """

    images: Tensor
    labels: Tensor
    seeds: np.ndarray

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device) -> "SegmentationBatch":
        """Return the batch on `device`."""
        images, labels = (part.to(device, non_blocking=True) for part in (self.images, self.labels))
        return SegmentationBatch(images, labels, self.seeds)


@dataclass(frozen=True)
class Classes:
    """The classes that are told apart, in the order of the network's outputs.

    Attributes
    ----------
    names : sequence of str
        The first is the background.
    weights : sequence of float
        For the weighted Jaccard index.
    """

    names: Sequence[str]
    weights: Sequence[float]


class Segmentation(RecordedTask):
    """Any loss over logits and labels, with the history of every epoch.

    The history holds, for each epoch: `epoch`, `learning_rate` (of the last batch), `train_loss` (mean over
    samples, taken while the weights move), and for validation data, each as if all were one batch:
    `validation_loss`, `validation_weighted_jaccard` (of the probabilities, as the thesis measures it), and
    `validation_dice_{name}` of every class but the background (of the most probable classes; 1 where a
    class neither is nor is predicted).

    All of it is the same in every process that shares the batches.

    Parameters
    ----------
    network : nn.Module
        Images (n, 1, ...) in [0, 1] to logits (n, classes, ...); its attribute `dimensions` is 2 or 3.
    epochs : int
        Of the whole training.
    precision : {"float32", "bfloat16"}
        `bfloat16` computes the network in mixed precision; weights, loss and updates do not.
    seed : int
        Draws what dropout leaves out.
    """

    shares_batches = True

    def __init__(
        self,
        network: nn.Module,
        loss: PooledLoss,
        classes: Classes,
        optimisation: Optimisation,
        *,
        epochs: int,
        pace: Pace | None = None,
        augmentation: SpatialAugmentation | None = None,
        precision: str = "float32",
        seed: int = 0,
    ):
        super().__init__()
        # With the channels last in memory, training takes less time.
        self.network = network.to(memory_format=MEMORY_FORMATS[network.dimensions])
        self.loss, self.classes, self.optimisation = loss, classes, optimisation
        self.epochs, self.pace, self.augmentation = epochs, pace or Pace(), augmentation
        self.precision, self.seed = precision, seed
        weights = torch.tensor(list(classes.weights), dtype=torch.float64)
        self.register_buffer("class_weights", weights, persistent=False)
        self._train = EpochSums()
        self._losses, self._soft, self._hard = EpochSums(), EpochSums(), EpochSums()

    def forward(self, images: Tensor) -> Tensor:
        mixed = self.precision == "bfloat16"
        with torch.autocast(images.device.type, torch.bfloat16, enabled=mixed):
            logits = self.network(images)
        return logits.float()

    def on_train_batch_start(self, batch: SegmentationBatch, number: int) -> None:
        rate = self._learning_rate(number)
        for group in self.optimizers().param_groups:
            group["lr"] = rate
        self.seed_dropout(self.seed, number)

    def training_step(self, batch: SegmentationBatch, number: int) -> Tensor:
        images, labels = _scaled(batch.images), batch.labels
        if self.augmentation:
            images, labels = self.augmentation.apply(images, labels, batch.seeds, self.current_epoch)
        loss = self.loss(self(images[:, None]), labels)
        self._train.add(torch.stack([loss.detach() * len(batch), torch.full_like(loss, len(batch))]))
        return loss

    def validation_step(self, batch: SegmentationBatch, number: int) -> None:
        images, classes = _scaled(batch.images)[:, None], len(self.classes.names)
        logits = self(images) if len(batch) else images.expand(-1, classes, *images.shape[2:])
        self._losses.add(self.loss.sums(logits, batch.labels))
        self._soft.add(overlap_sums(logits.softmax(dim=1), batch.labels))
        self._hard.add(count_overlaps(logits.argmax(dim=1), batch.labels, classes))

    def on_train_epoch_end(self) -> None:
        total, count = self._train.take()
        record = {
            "epoch": self.current_epoch + 1,
            "learning_rate": self.optimizers().param_groups[0]["lr"],
            "train_loss": float(total / count),
        }
        if not self._losses.is_empty:
            record |= self._take_validation()
        self.history.append(record)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return build_optimiser(self.network, self.optimisation)

    def transfer_batch_to_device(
        self, batch: SegmentationBatch, device: torch.device, _: int
    ) -> SegmentationBatch:
        return batch.to(device)

    def _take_validation(self) -> dict[str, float]:
        jaccard = tversky_index(self._soft.take(), 1.0, 1.0, self.class_weights)
        dice = dice_of_classes(self._hard.take())
        names = [f"validation_dice_{name}" for name in self.classes.names]
        return {
            "validation_loss": float(self.loss.value(self._losses.take())),
            "validation_weighted_jaccard": float(jaccard),
            **dict(zip(names[1:], dice.tolist()[1:], strict=True)),
        }

    def _learning_rate(self, number: int) -> float:
        batches = self.trainer.num_training_batches
        begun, done = (self.current_epoch + (number + part) / batches for part in (0, 1))
        rate = self.optimisation.learning_rate_at(begun / self.epochs)
        return rate * self.pace.factor(done, self.history)


class EpochSums:
    """A sum over the batches of an epoch, on the device until it is asked for."""

    def __init__(self) -> None:
        self._sums: Tensor | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was added."""
        return self._sums is None

    def add(self, sums: Tensor) -> None:
        """Add the sums of a batch."""
        self._sums = sums if self._sums is None else self._sums + sums

    def take(self) -> Tensor:
        """Return the sum over all processes, and begin anew."""
        sums, self._sums = sum_over_processes(self._sums), None
        return sums


def count_overlaps(predicted: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Return TP, FN and FP of each class in pixels.

    Parameters
    ----------
    predicted, labels : Tensor of integers, shape (n, ...)

    Returns
    -------
    Tensor of float64, shape (3, classes)
    """
    pairs = [(predicted == number, labels == number) for number in range(classes)]
    counts = [[(ours & true).sum(), (~ours & true).sum(), (ours & ~true).sum()] for ours, true in pairs]
    return torch.stack([torch.stack(three) for three in counts], dim=1).double()


def dice_of_classes(counts: Tensor) -> Tensor:
    """Return the Dice coefficient of each class, 1 where a class neither is nor is predicted.

    Parameters
    ----------
    counts : Tensor of float64, shape (3, classes)
        Of `count_overlaps`.
    """
    both, missed, added = counts
    pixels = 2 * both + missed + added
    return torch.where(pixels > 0, 2 * both / pixels.clamp(min=1), 1.0)


def _scaled(images: Tensor) -> Tensor:
    return images.float() / 255
