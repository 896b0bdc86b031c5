"""Training a network to restore images."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from medscale.training.batch_schedules import BatchSchedule
from medscale.training.optimisation import Optimisation, build_optimiser
from medscale.training.recorded_task import RecordedTask
from medscale.training.running_mean import RunningMean

# A restored image without any error would have an infinite PSNR; this is 120 dB.
SMALLEST_MSE = 1e-12


@dataclass
class PairBatch:
    """One batch as the loader hands it over.

    Attributes
    ----------
    inputs, targets : Tensor of float32, shape (n, 1, rows, columns)
        What the network is fed and what it should return, in [0, 1].
    """

    inputs: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.inputs)

    def to(self, device: torch.device) -> "PairBatch":
        """Return the batch on `device`."""
        return PairBatch(
            self.inputs.to(device, non_blocking=True), self.targets.to(device, non_blocking=True)
        )

    def split(self, size: int) -> Iterator["PairBatch"]:
        """Yield the batch in parts of at most `size` images."""
        for inputs, targets in zip(self.inputs.split(size), self.targets.split(size), strict=True):
            yield PairBatch(inputs, targets)


def peak_signal_to_noise(restored: Tensor, targets: Tensor) -> Tensor:
    """Return the PSNR of each image in dB, for values between 0 and 1.

    Parameters
    ----------
    restored, targets : Tensor, shape (n, channels, rows, columns)

    Returns
    -------
    Tensor of float64, shape (n,)
        At most 120 dB.
    """
    squares = (restored.double() - targets.double()).square().flatten(1).mean(1)
    return -10 * torch.log10(squares.clamp(min=SMALLEST_MSE))


class Restoration(RecordedTask):
    """Mean absolute error between restored images and targets, with the history of every epoch.

    The history holds, for each epoch: `epoch`, `batch_size` (of the largest batch), `learning_rate` (of the
    last batch), `updates` (number of batches), and loss and PSNR of training and validation images, means
    over images. Those of training images are taken while the weights move and with the statistics of
    each batch; those of validation images afterwards, with the running statistics.

    Parameters
    ----------
    network : nn.Module
        Images (n, 1, rows, columns) to images of the same shape.
    schedule : BatchSchedule
        That of the loader's batches, or of the learning rate (see `decay_learning_rate`).
    decay_learning_rate : bool
        The batches stay at the first size of the schedule, which the loader must have then, and the
        learning rate falls as the schedule's sizes would have grown (see `learning_rate_factor`).
    precision : {"float32", "bfloat16"}
        `bfloat16` computes the network in mixed precision; weights, loss and updates stay in float32.
    micro_batch : int, optional
        Batches are computed in parts of at most so many images, whose gradients add up to that of the
        mean over the whole batch, as long as the images of a batch do not act on each other. Batch norm lets
        them: it then normalises each part by itself, so this is no larger batch in its sense.
    """

    def __init__(
        self,
        network: nn.Module,
        optimisation: Optimisation,
        schedule: BatchSchedule,
        *,
        decay_learning_rate: bool = False,
        precision: str = "float32",
        micro_batch: int | None = None,
    ):
        super().__init__()
        self.automatic_optimization = False
        # With the channels last in memory, training on a CPU takes a fifth less time.
        self.network = network.to(memory_format=torch.channels_last)
        self.optimisation, self.schedule = optimisation, schedule
        self.decay_learning_rate, self.precision = decay_learning_rate, precision
        self.micro_batch = micro_batch
        self._train, self._validation = ImageMeans(), ImageMeans()
        self._updates, self._largest = 0, 0

    def forward(self, inputs: Tensor) -> Tensor:
        mixed = self.precision == "bfloat16"
        with torch.autocast(inputs.device.type, torch.bfloat16, enabled=mixed):
            restored = self.network(inputs)
        return restored.float()

    def add_gradients(self, batch: PairBatch, backward: Callable[[Tensor], None] = Tensor.backward) -> None:
        """Add the gradients of the mean absolute error over a batch to those of the weights."""
        for part in batch.split(self.micro_batch or len(batch)):
            restored = self(part.inputs)
            loss = nn.functional.l1_loss(restored, part.targets)
            backward(loss * (len(part) / len(batch)))
            self._train.add(restored.detach(), part.targets)

    def training_step(self, batch: PairBatch, number: int) -> None:
        optimiser = self.optimizers()
        for group in optimiser.param_groups:
            group["lr"] = self._learning_rate(number)
        optimiser.zero_grad()
        self.add_gradients(batch, self.manual_backward)
        optimiser.step()
        self._updates, self._largest = self._updates + 1, max(self._largest, len(batch))

    def validation_step(self, batch: PairBatch, _: int) -> None:
        self._validation.add(self(batch.inputs), batch.targets)

    def on_train_epoch_end(self) -> None:
        record = {
            "epoch": self.current_epoch + 1,
            "batch_size": self._largest,
            "learning_rate": self.optimizers().param_groups[0]["lr"],
            "updates": self._updates,
            **self._train.take("train"),
            **self._validation.take("validation"),
        }
        self._updates, self._largest = 0, 0
        self.history.append(record)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return build_optimiser(self.network, self.optimisation)

    def transfer_batch_to_device(self, batch: PairBatch, device: torch.device, _: int) -> PairBatch:
        return batch.to(device)

    def _learning_rate(self, number: int) -> float:
        epoch = self.current_epoch
        progress = (epoch + number / self.trainer.num_training_batches) / self.schedule.epochs
        rate = self.optimisation.learning_rate_at(progress)
        return rate * self.schedule.learning_rate_factor(epoch) if self.decay_learning_rate else rate


class ImageMeans:
    """Loss and PSNR, averaged over images."""

    def __init__(self) -> None:
        self.loss, self.psnr = RunningMean(), RunningMean()

    def add(self, restored: Tensor, targets: Tensor) -> None:
        """Add the images of a batch."""
        count = len(targets)
        self.loss.add((restored.double() - targets.double()).abs().mean(), count)
        self.psnr.add(peak_signal_to_noise(restored, targets).mean(), count)

    def take(self, name: str) -> dict[str, float]:
        """Return `{name}_loss` and `{name}_psnr`, if there were images, and begin anew."""
        if not self.loss.weight:
            return {}
        return {f"{name}_loss": self.loss.take(), f"{name}_psnr": self.psnr.take()}
