"""Losses of a segmentation, by name, each a function of sums over the whole batch.

Source: the thesis, section 3.6, and the code of its author, whose sums run over all images, pixels and
classes of a batch at once. The loss of a batch that several processes share is therefore that of the whole
batch: what they add up are the sums, not their losses.

The classes of a pixel are y (0 or 1, one of them 1), their probabilities p, their weights w:

    TP = Σ w y p        FN = Σ w y (1 - p)        FP = Σ w (1 - y) p
    index(alpha, beta) = (TP + s) / (TP + alpha FN + beta FP + s),  s = 1e-6
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from medscale.errors import InputError
from medscale.training.pooling import sum_over_processes

SMOOTH = 1e-6
# The softmax-Dice has its own, on both sides of the doubled intersection.
DICE_SMOOTH = 1e-3


class PooledLoss(nn.Module):
    """A loss that is taken of sums over the pixels of a batch.

    Called with logits (N, classes, ...) and labels (N, ...), it returns a scalar in float64: sums over
    millions of pixels in float32 would lose what the last few of them add.
    """

    def sums(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the sums of this part of the batch, float64; those of parts may be added."""
        raise NotImplementedError

    def value(self, sums: Tensor) -> Tensor:
        """Return the loss of the pixels that were summed."""
        raise NotImplementedError

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        return self.value(sum_over_processes(self.sums(logits, labels)))


class CrossEntropy(PooledLoss):
    """Mean of -log p of the true class over the pixels."""

    def sums(self, logits: Tensor, labels: Tensor) -> Tensor:
        pixels = nn.functional.cross_entropy(logits, labels.long(), reduction="none")
        return _sum_and_count(pixels)

    def value(self, sums: Tensor) -> Tensor:
        return sums[0] / sums[1]


class ClassEntropy(PooledLoss):
    """Mean over pixels and classes of -positive (1 - p)^gamma y log p - negative p^gamma (1 - y) log(1 - p).

    Every class is told from the others by itself, as the thesis's code does with the softmax's
    probabilities. Logarithms are exact where that code cuts probabilities off at 1e-7 and 1 - 1e-7.
    """

    def __init__(self, positive: float, negative: float, gamma: float = 0.0):
        super().__init__()
        self.positive, self.negative, self.gamma = positive, negative, gamma

    def sums(self, logits: Tensor, labels: Tensor) -> Tensor:
        margins, truth = _margins(logits), _indicators(labels, logits.shape[1])
        # Of a class that is not the true one, the probability of not being it counts.
        signed = torch.where(truth, margins, -margins)
        weights = torch.where(truth, self.positive, self.negative)
        if self.gamma:
            weights = weights * torch.sigmoid(-signed) ** self.gamma
        return _sum_and_count(-weights * nn.functional.logsigmoid(signed))

    def value(self, sums: Tensor) -> Tensor:
        return sums[0] / sums[1]


class Tversky(PooledLoss):
    """1 - index(alpha, beta), with a weight for each class or with equal ones.

    (0.5, 0.5) is the Dice coefficient, (1, 1) the Jaccard coefficient.

    Parameters
    ----------
    alpha, beta : float
        Factors on FN and on FP. MONAI's `TverskyLoss` calls them the other way round.
    weights : sequence of float, optional
        One for each class.
    """

    def __init__(self, alpha: float, beta: float, weights: Sequence[float] | None = None):
        super().__init__()
        self.alpha, self.beta = alpha, beta
        self.register_buffer("weights", _as_weights(weights), persistent=False)

    def sums(self, logits: Tensor, labels: Tensor) -> Tensor:
        return overlap_sums(logits.softmax(dim=1), labels)

    def value(self, sums: Tensor) -> Tensor:
        return 1 - tversky_index(sums, self.alpha, self.beta, self.weights)


class SoftmaxDice(PooledLoss):
    """alpha times the cross entropy plus beta (1 - D), D = (2 Σ w y p + 0.001) / (Σ w y + Σ w p + 0.001).

    Parameters
    ----------
    weights : sequence of float, optional
        One for each class, in D alone; equal ones by default.
    """

    def __init__(self, alpha: float, beta: float, weights: Sequence[float] | None = None):
        super().__init__()
        self.alpha, self.beta, self.entropy = alpha, beta, CrossEntropy()
        self.register_buffer("weights", _as_weights(weights), persistent=False)

    def sums(self, logits: Tensor, labels: Tensor) -> Tensor:
        overlap = overlap_sums(logits.softmax(dim=1), labels)
        overlap = overlap if self.weights is None else overlap * self.weights
        return torch.cat([self.entropy.sums(logits, labels), overlap.sum(dim=1)])

    def value(self, sums: Tensor) -> Tensor:
        both, missed, added = sums[2:]
        dice = (2 * both + DICE_SMOOTH) / (2 * both + missed + added + DICE_SMOOTH)
        return self.alpha * self.entropy.value(sums[:2]) + self.beta * (1 - dice)


def build_loss(name: str, class_weights: Sequence[float], **settings: float) -> PooledLoss:
    """Return the loss called `name`, one of `LOSSES`.

    - `cross_entropy`
    - `weighted_cross_entropy` (beta=3): each class by itself, its own pixels weigh `beta`.
    - `balanced_cross_entropy` (beta=0.2): its own pixels weigh `beta`, the others `1 - beta`.
    - `focal` (alpha=0.25, gamma=2): `alpha` and `1 - alpha`, and pixels that are nearly right weigh less.
    - `dice`, `jaccard`: 1 - index(0.5, 0.5) and 1 - index(1, 1), with equal weights.
    - `softmax_dice` (alpha=0.5, beta=0.5): see `SoftmaxDice`. `weighted_softmax_dice`, which is not the
      thesis's, has the class weights in its Dice part.
    - `tversky` (alpha=0.7, beta=0.3): 1 - index(alpha, beta), with equal weights; by default, what is
      missed counts more than what is added, as Salehi et al. (MLMI 2017) found best for small lesions.
    - `weighted_dice`: 1 - index(0.5, 0.5) with the class weights, the loss of the thesis's final models.

    The defaults of all but `tversky` are those of the thesis's code.

    Parameters
    ----------
    class_weights : sequence of float
        One for each class; only `weighted_dice` and `weighted_softmax_dice` use them.

    Raises
    ------
    InputError
        If there is no loss of this name, or it has no such settings.
    """
    if name not in LOSSES:
        raise InputError("loss.name", repr(name), f"one of {', '.join(LOSSES)}", "Correct the name.")
    try:
        return LOSSES[name](class_weights, **settings)
    except TypeError as error:
        found = f"{', '.join(settings)} for {name}"
        raise InputError(
            "loss", found, "settings of this loss", "Correct them, or leave them out."
        ) from error


LOSSES: dict[str, Any] = {
    "cross_entropy": lambda weights: CrossEntropy(),
    "weighted_cross_entropy": lambda weights, beta=3.0: ClassEntropy(beta, 1.0),
    "balanced_cross_entropy": lambda weights, beta=0.2: ClassEntropy(beta, 1 - beta),
    "focal": lambda weights, alpha=0.25, gamma=2.0: ClassEntropy(alpha, 1 - alpha, gamma),
    "dice": lambda weights: Tversky(0.5, 0.5),
    "jaccard": lambda weights: Tversky(1.0, 1.0),
    "softmax_dice": lambda weights, alpha=0.5, beta=0.5: SoftmaxDice(alpha, beta),
    "weighted_softmax_dice": lambda weights, alpha=0.5, beta=0.5: SoftmaxDice(alpha, beta, weights),
    "tversky": lambda weights, alpha=0.7, beta=0.3: Tversky(alpha, beta),
    "weighted_dice": lambda weights: Tversky(0.5, 0.5, weights),
}


def overlap_sums(probabilities: Tensor, labels: Tensor) -> Tensor:
    """Return TP, FN and FP of each class, without weights.

    Parameters
    ----------
    probabilities : Tensor of float, shape (N, classes, ...)
    labels : Tensor of integers, shape (N, ...)

    Returns
    -------
    Tensor of float64, shape (3, classes)
    """
    truth = _indicators(labels, probabilities.shape[1])
    both = _sum_of_classes(torch.where(truth, probabilities, 0.0))
    return torch.stack([both, _sum_of_classes(truth) - both, _sum_of_classes(probabilities) - both])


def tversky_index(sums: Tensor, alpha: float, beta: float, weights: Tensor | None = None) -> Tensor:
    """Return index(alpha, beta) of the sums that `overlap_sums` returns, all classes together.

    Parameters
    ----------
    sums : Tensor, shape (3, classes)
    weights : Tensor, shape (classes,), optional
        Equal ones by default.
    """
    both, missed, added = (sums if weights is None else sums * weights).sum(dim=1)
    return (both + SMOOTH) / (both + alpha * missed + beta * added + SMOOTH)


def weighted_jaccard(probabilities: Tensor, labels: Tensor, weights: Sequence[float]) -> Tensor:
    """Return index(1, 1), the thesis's JC_w, of probabilities (N, classes, ...) and labels (N, ...)."""
    sums = overlap_sums(probabilities, labels)
    return tversky_index(sums, 1.0, 1.0, _as_weights(weights).to(sums.device))


def _margins(logits: Tensor) -> Tensor:
    """Return logit(p) of every class, p being its softmax."""
    return torch.stack(
        [
            one - torch.cat([logits[:, :number], logits[:, number + 1 :]], dim=1).logsumexp(dim=1)
            for number, one in enumerate(logits.unbind(dim=1))
        ],
        dim=1,
    )


def _indicators(labels: Tensor, classes: int) -> Tensor:
    return torch.stack([labels == number for number in range(classes)], dim=1)


def _sum_of_classes(values: Tensor) -> Tensor:
    return values.sum(dim=(0, *range(2, values.ndim)), dtype=torch.float64)


def _sum_and_count(values: Tensor) -> Tensor:
    total = values.sum(dtype=torch.float64)
    return torch.stack([total, torch.full_like(total, values.numel())])


def _as_weights(weights: Sequence[float] | None) -> Tensor | None:
    return None if weights is None else torch.tensor(list(weights), dtype=torch.float64)
