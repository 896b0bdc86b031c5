"""How the weights of a network move, the same for every task."""

import math
from dataclasses import dataclass

import torch
from torch import nn


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

    def learning_rate_at(self, progress: float) -> float:
        """Return the learning rate where this share of the training is done."""
        if self.schedule == "constant":
            return self.learning_rate
        return self.learning_rate * (1 + math.cos(math.pi * progress)) / 2


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
