"""Training a network to mark what lies in one mask, with or without the aid of a classifier."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from medscale.training.mask_losses import MaskLoss, find_mask_loss, mask_probabilities, overlap_ratios
from medscale.training.optimisation import Optimisation
from medscale.training.recorded_task import RecordedTask
from medscale.training.running_mean import RunningMean
from medscale.training.spatial_augmentation import SpatialAugmentation

THRESHOLD = 0.5


@dataclass
class MaskBatch:
    """One batch as the loader hands it over.

    Attributes
    ----------
    images : Tensor of uint8, shape (n, rows, columns)
    masks : Tensor of uint8, shape (n, rows, columns)
        0 and 1.
    kept : Tensor of bool, shape (n,)
        Which images are not emptied (see `mask_losses`).
    seeds : ndarray of int64, shape (n,)
        For the augmentation.
    """

    images: Tensor
    masks: Tensor
    kept: Tensor
    seeds: np.ndarray

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device) -> "MaskBatch":
        """Return the batch on `device`."""
        parts = (part.to(device, non_blocking=True) for part in (self.images, self.masks, self.kept))
        return MaskBatch(*parts, self.seeds)


class MaskSegmentation(RecordedTask):
    """One of the losses of masks, with the history of every epoch.

    The history holds, for each epoch, means over images: `epoch`, `train_loss`, `train_iou` (both taken
    while the weights move), and for validation data `validation_loss` and `validation_iou`. IoU is that of
    the pixels with p >= 0.5, after images were emptied; it is 1 where mask and prediction are both empty.

    Parameters
    ----------
    network : nn.Module
        Images (n, 1, rows, columns) in [0, 1] to logits (n, 1, rows, columns).
    loss : str or callable
        Name in `MASK_LOSSES`, or a function like those.
    augmentation : SpatialAugmentation, optional
        Of training batches; none by default.
    seed : int
        Draws what dropout leaves out.

    Raises
    ------
    InputError
        If there is no loss of this name.
    """

    def __init__(
        self,
        network: nn.Module,
        loss: str | MaskLoss,
        optimisation: Optimisation,
        *,
        augmentation: SpatialAugmentation | None = None,
        seed: int = 0,
    ):
        super().__init__()
        # With the channels last in memory, training takes less time.
        self.network = network.to(memory_format=torch.channels_last)
        self.loss = find_mask_loss(loss) if isinstance(loss, str) else loss
        self.optimisation, self.augmentation, self.seed = optimisation, augmentation, seed
        self._train, self._validation = MaskMeans(), MaskMeans()

    def forward(self, images: Tensor) -> Tensor:
        return self.network(images[:, None])[:, 0].float()

    def on_train_batch_start(self, batch: MaskBatch, number: int) -> None:
        self.seed_dropout(self.seed, number)

    def training_step(self, batch: MaskBatch, _: int) -> Tensor:
        images, masks = batch.images.float() / 255, batch.masks
        if self.augmentation:
            images, masks = self.augmentation.apply(images, masks, batch.seeds, self.current_epoch)
        logits = self(images)
        losses = self.loss(logits, masks, batch.kept)
        self._train.add(losses, logits, masks, batch.kept)
        return losses.mean()

    def validation_step(self, batch: MaskBatch, _: int) -> None:
        logits = self(batch.images.float() / 255)
        losses = self.loss(logits, batch.masks, batch.kept)
        self._validation.add(losses, logits, batch.masks, batch.kept)

    def on_train_epoch_end(self) -> None:
        means = self._train.take("train") | self._validation.take("validation")
        self.history.append({"epoch": self.current_epoch + 1, **means})

    def configure_optimizers(self):
        return self.build_scheduled_optimiser(self.network, self.optimisation)

    def transfer_batch_to_device(self, batch: MaskBatch, device: torch.device, _: int) -> MaskBatch:
        return batch.to(device)


class MaskMeans:
    """Loss and IoU, averaged over images whatever batches they came in."""

    def __init__(self) -> None:
        self.loss, self.iou = RunningMean(), RunningMean()

    def add(self, losses: Tensor, logits: Tensor, masks: Tensor, kept: Tensor) -> None:
        """Add the images of a batch; `losses` are those of each image."""
        predicted = mask_probabilities(logits.detach(), kept) >= THRESHOLD
        self.loss.add(losses.double().mean(), len(losses))
        self.iou.add(overlap_ratios(predicted, masks).mean(), len(losses))

    def take(self, name: str) -> dict[str, float]:
        """Return `{name}_loss` and `{name}_iou`, if there were images, and begin anew."""
        if not self.loss.weight:
            return {}
        return {f"{name}_loss": self.loss.take(), f"{name}_iou": self.iou.take()}
