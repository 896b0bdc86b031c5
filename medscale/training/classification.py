"""Training a network to tell classes apart, whatever it is fed with."""

from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torchmetrics.classification import BinaryAUROC

from medscale.networks.classifiers.auxiliary import Outputs, combine_losses
from medscale.training.optimisation import Optimisation
from medscale.training.recorded_task import RecordedTask
from medscale.training.running_mean import RunningMean


class Batch(Protocol):
    """Samples as the loader hands them over.

    Attributes
    ----------
    labels : Tensor, shape (n,)
        float32, 0 or 1, for networks of one logit; int64, the number of a class, for one logit a class.
    """

    labels: Tensor

    def __len__(self) -> int: ...

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on `device`."""


class Feed(Protocol):
    """What becomes of a batch before the network sees it."""

    def train(self, batch: Any, epoch: int) -> tuple[Tensor, ...]:
        """Return the positional inputs of the network for a training batch, augmented."""

    def watch(self, batch: Any) -> tuple[Tensor, ...]:
        """Return the positional inputs of the network for a batch that is only looked at."""


class Classification(RecordedTask):
    """Cross entropy of one logit, or of one logit a class, with the history of every epoch.

    The history holds, for each epoch: `epoch`, `train_loss` (mean over samples, taken while the weights
    move) and `validation_loss`; for one logit a class also `train_accuracy` and `validation_accuracy`, means
    over samples; for one logit `validation_auc`, where there is more than one class.

    Auxiliary heads (see `Outputs`) learn with the rest; the losses and accuracies in the history are those
    of the last layer alone, so that they can be compared with those of networks without such heads.

    Parameters
    ----------
    network : nn.Module
        What the feed returns to logits (n, 1) or (n, classes), or to `Outputs` of them.
    feed : Feed
    seed : int
        Draws what dropout leaves out.
    """

    def __init__(self, network: nn.Module, optimisation: Optimisation, feed: Feed, *, seed: int = 0):
        super().__init__()
        self.network, self.optimisation, self.feed, self.seed = network, optimisation, feed, seed
        self.validation_auc = BinaryAUROC()
        self._train, self._validation = RunningMean(), RunningMean()
        self._train_right, self._validation_right = RunningMean(), RunningMean()
        self._labels_watched: set[float] = set()

    def on_train_batch_start(self, batch: Batch, number: int) -> None:
        self.seed_dropout(self.seed, number)

    def training_step(self, batch: Batch, _: int) -> Tensor:
        outputs = self.network(*self.feed.train(batch, self.current_epoch))
        logits = outputs.logits if isinstance(outputs, Outputs) else outputs
        loss = combine_losses(outputs, lambda one: classification_loss(one, batch.labels))
        own = loss if logits is outputs else classification_loss(logits.detach(), batch.labels)
        self._train.add(own, len(batch))
        if not batch.labels.is_floating_point():
            self._train_right.add(share_right(logits, batch.labels), len(batch))
        return loss

    def validation_step(self, batch: Batch, _: int) -> None:
        logits = self.network(*self.feed.watch(batch))
        self._validation.add(classification_loss(logits, batch.labels), len(batch))
        if batch.labels.is_floating_point():
            self.validation_auc.update(logits.squeeze(1), batch.labels.long())
            self._labels_watched |= set(batch.labels.unique().tolist())
        else:
            self._validation_right.add(share_right(logits, batch.labels), len(batch))

    def on_train_epoch_end(self) -> None:
        record = {"epoch": self.current_epoch + 1, "train_loss": self._train.take()}
        if self._train_right.weight:
            record["train_accuracy"] = self._train_right.take()
        if self._validation.weight:
            record["validation_loss"] = self._validation.take()
            if len(self._labels_watched) > 1:
                record["validation_auc"] = float(self.validation_auc.compute())
            self.validation_auc.reset()
        if self._validation_right.weight:
            record["validation_accuracy"] = self._validation_right.take()
        self.history.append(record)

    def configure_optimizers(self):
        return self.build_scheduled_optimiser(self.network, self.optimisation)

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, _: int) -> Batch:
        return batch.to(device)


def classification_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the cross entropy, the mean over samples.

    Parameters
    ----------
    logits : Tensor, shape (n, 1) or (n, classes)
    labels : Tensor, shape (n,)
        float32 for one logit, int64 for one a class.
    """
    if labels.is_floating_point():
        return nn.functional.binary_cross_entropy_with_logits(logits.squeeze(1), labels)
    return nn.functional.cross_entropy(logits, labels)


def share_right(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the share of samples whose largest logit is that of their class, float64.

    Parameters
    ----------
    logits : Tensor, shape (n, classes)
    labels : Tensor of int64, shape (n,)
    """
    return (logits.argmax(dim=1) == labels).double().mean()
