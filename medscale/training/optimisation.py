"""How the weights of a network move, the same for every task."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from medscale.errors import InputError

OPTIMISERS = ("adam", "adamw", "sgd")


@dataclass(frozen=True)
class Optimisation:
    """How the weights move.

    Attributes
    ----------
    optimiser : {"adam", "adamw", "sgd"}
    learning_rate : float
    schedule : {"constant", "cosine"}
        `cosine` lets the learning rate fall to zero over all steps.
    momentum : float
        Nesterov momentum of `sgd`.
    weight_decay : float
        Added to the gradient is this times the weight. What Keras calls L2 of 1e-4 is 2e-4 here. With
        `adamw`, the weight itself shrinks instead, by this times the learning rate at each update.
    decayed : {"all", "kernels"}
        `kernels` spares biases and batch norms, as Keras's `kernel_regularizer` does.
    weight_bound : float, optional
        Largest absolute value of every weight, bias and number of a batch norm that is learned, after each
        update (see `bound_weights`); unbounded by default.

    Raises
    ------
    InputError
        If there is no such optimiser, or the bound leaves no room.
    """

    optimiser: str = "adam"
    learning_rate: float = 1e-4
    schedule: str = "constant"
    momentum: float = 0.9
    weight_decay: float = 0.0
    decayed: str = "all"
    weight_bound: float | None = None

    def __post_init__(self) -> None:
        if self.optimiser not in OPTIMISERS:
            known = f"one of {', '.join(OPTIMISERS)}"
            raise InputError("optimisation.optimiser", repr(self.optimiser), known, "Correct the name.")
        if self.weight_bound is not None and not self.weight_bound > 0:
            raise InputError(
                "optimisation.weight_bound",
                str(self.weight_bound),
                "a number above 0, or none",
                "Leave it out for weights of any size.",
            )

    def learning_rate_at(self, progress: float) -> float:
        """Return the learning rate where this share of the training is done."""
        if self.schedule == "constant":
            return self.learning_rate
        return self.learning_rate * (1 + math.cos(math.pi * progress)) / 2


@dataclass(frozen=True)
class Plateau:
    """Lower the learning rate when a loss no longer falls, as Keras's ReduceLROnPlateau.

    Attributes
    ----------
    patience : int
        Epochs without improvement before the rate is lowered; they are counted anew after that.
    factor : float
        What the rate is multiplied by.
    watch : {"validation_loss", "train_loss"}
        Name in the history. Without validation data, the loss of training stands in.
    least_change : float
        By how much a loss must be lower than the best one to be an improvement.
    """

    patience: int
    factor: float
    watch: str = "validation_loss"
    least_change: float = 1e-4

    def factor_after(self, history: Sequence[Mapping[str, float]]) -> float:
        """Return the factor on the learning rate after the epochs of a history."""
        best, waited, factor = math.inf, 0, 1.0
        for record in history:
            loss = record.get(self.watch, record["train_loss"])
            improved = loss < best - self.least_change
            best, waited = (loss, 0) if improved else (best, waited + 1)
            if waited >= self.patience:
                factor, waited = factor * self.factor, 0
        return factor


@dataclass(frozen=True)
class Pace:
    """How the learning rate departs from that of the optimisation; it follows from the history alone.

    Attributes
    ----------
    warmup_epochs : float
        The rate rises evenly with every update until so many epochs are done (Goyal et al.,
        arXiv:1706.02677).
    plateau : Plateau, optional
    """

    warmup_epochs: float = 0.0
    plateau: Plateau | None = None

    def factor(self, done_epochs: float, history: Sequence[Mapping[str, float]]) -> float:
        """Return the factor on the learning rate of an update.

        Parameters
        ----------
        done_epochs : float
            Epochs that are done with this update, such as 2.5 amid the third.
        history : sequence of mapping
            One record for each epoch that has ended.
        """
        warm_up = min(1.0, done_epochs / self.warmup_epochs) if self.warmup_epochs else 1.0
        return warm_up * (self.plateau.factor_after(history) if self.plateau else 1.0)


def build_optimiser(network: nn.Module, settings: Optimisation) -> torch.optim.Optimizer:
    """Return the optimiser that `settings` name, over all weights of `network`.

    If `settings` bound the weights, each of its steps ends with `bound_weights`.
    """
    optimiser = _build_unbounded(network, settings)
    bound = settings.weight_bound
    if bound is not None:
        optimiser.register_step_post_hook(lambda *_: bound_weights(network, bound))
    return optimiser


def bound_weights(network: nn.Module, bound: float) -> None:
    """Bring every trainable parameter into [-bound, bound], in place.

    The report on scans keeps large weights from dominating its networks in this way. All that is learned
    is bounded, biases and batch norms too; running statistics are not, for no gradient moves them.
    """
    with torch.no_grad():
        for weight in network.parameters():
            if weight.requires_grad:
                weight.clamp_(-bound, bound)


def _build_unbounded(network: nn.Module, settings: Optimisation) -> torch.optim.Optimizer:
    if settings.optimiser == "sgd":
        return torch.optim.SGD(
            _groups(network, settings),
            lr=settings.learning_rate,
            momentum=settings.momentum,
            nesterov=settings.momentum > 0,
            weight_decay=settings.weight_decay,
        )
    kind = torch.optim.AdamW if settings.optimiser == "adamw" else torch.optim.Adam
    return kind(_groups(network, settings), lr=settings.learning_rate, weight_decay=settings.weight_decay)


def _groups(network: nn.Module, settings: Optimisation) -> list[dict]:
    """Return the weights that decay, and those that do not, if there are any."""
    weights = list(network.parameters())
    if settings.decayed == "all":
        return [{"params": weights}]
    kernels = [weight for weight in weights if weight.ndim > 1]
    others = [weight for weight in weights if weight.ndim <= 1]
    return [{"params": kernels}, {"params": others, "weight_decay": 0.0}]
