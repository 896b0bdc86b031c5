"""Losses and overlap of masks with two values, image by image.

The mask of a pixel is y (0 or 1), its probability p, the sigmoid of the logit. Images that a classifier
calls free of tumours may be emptied: p is then 0 in all of their pixels, and no gradient comes from them
(the report on scans, part 3).

The loss of a batch is the mean over its images, that of an epoch the mean over all images. To add up the
means of batches and to divide by the number of images, as the report found in the code of others, gives
1/batch size of it.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from medscale.errors import InputError

MaskLoss = Callable[[Tensor, Tensor, Tensor], Tensor]

SMOOTH = 1.0
# As `torch.nn.BCELoss`: otherwise a pixel of a tumour in an emptied image would cost infinitely much.
LARGEST_ENTROPY = 100.0


def find_mask_loss(name: str) -> MaskLoss:
    """Return the loss called `name`, one of `MASK_LOSSES`.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in MASK_LOSSES:
        raise InputError("loss", repr(name), f"one of {', '.join(MASK_LOSSES)}", "Correct the name.")
    return MASK_LOSSES[name]


def mask_probabilities(logits: Tensor, kept: Tensor) -> Tensor:
    """Return the probability of each pixel, 0 without gradient in images that are not kept.

    Parameters
    ----------
    logits : Tensor, shape (n, rows, columns)
    kept : Tensor of bool, shape (n,)
    """
    return torch.where(kept[:, None, None], torch.sigmoid(logits), 0.0)


def cross_entropy_of_masks(logits: Tensor, masks: Tensor, kept: Tensor) -> Tensor:
    """Return the mean over pixels of -y log p - (1 - y) log(1 - p); logarithms are -100 at least.

    Parameters, and what is returned, are the same for all losses.

    Parameters
    ----------
    logits : Tensor of float32, shape (n, rows, columns)
    masks : Tensor of uint8, shape (n, rows, columns)
        0 and 1.
    kept : Tensor of bool, shape (n,)
        Which images are not emptied.

    Returns
    -------
    Tensor of float32, shape (n,)
    """
    truth = masks.to(logits.dtype)
    entropy = nn.functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    emptied = LARGEST_ENTROPY * truth
    pixels = torch.where(kept[:, None, None], entropy.clamp(max=LARGEST_ENTROPY), emptied)
    return pixels.flatten(1).mean(dim=1)


def squared_error_of_masks(logits: Tensor, masks: Tensor, kept: Tensor) -> Tensor:
    """Return the mean over pixels of (p - y)^2; see `cross_entropy_of_masks`."""
    away = mask_probabilities(logits, kept) - masks.to(logits.dtype)
    return away.square().flatten(1).mean(dim=1)


def dice_loss_of_masks(logits: Tensor, masks: Tensor, kept: Tensor) -> Tensor:
    """Return 1 - (2 Σ p y + 1) / (Σ p + Σ y + 1) over the pixels of each image.

    The 1 is the report's smoothing: where neither is anything, the loss is 0. See `cross_entropy_of_masks`.
    """
    found, truth = mask_probabilities(logits, kept).flatten(1), masks.to(logits.dtype).flatten(1)
    both = (found * truth).sum(dim=1)
    return 1 - (2 * both + SMOOTH) / (found.sum(dim=1) + truth.sum(dim=1) + SMOOTH)


MASK_LOSSES: dict[str, MaskLoss] = {
    "bce": cross_entropy_of_masks,
    "mse": squared_error_of_masks,
    "dice": dice_loss_of_masks,
}


def mask_overlap(predicted: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    """Return the pixels of the intersection and of the union of each image.

    Parameters
    ----------
    predicted : Tensor of bool, shape (n, rows, columns)
    masks : Tensor of uint8, shape (n, rows, columns)

    Returns
    -------
    intersection, union : Tensor of int64, shape (n,)
    """
    truth = masks.bool()
    parts = (predicted & truth, predicted | truth)
    intersection, union = (part.flatten(1).sum(dim=1) for part in parts)
    return intersection, union


def overlap_ratios(predicted: Tensor, masks: Tensor) -> Tensor:
    """Return intersection over union of each image (see `mask_overlap`), 1 where both are empty; float64."""
    intersection, union = mask_overlap(predicted, masks)
    return torch.where(union > 0, intersection.double() / union.clamp(min=1), 1.0)
