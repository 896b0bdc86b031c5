"""What all segmentation networks have in common: what they take, what they return, and any size."""

import torch
from torch import Tensor, nn

from medscale.errors import InputError


class Segmenter(nn.Module):
    """Network for images or blocks that returns one logit a class for every pixel or voxel.

    Takes (N, channels_in, rows, columns), or (N, channels_in, slices, rows, columns), float32 in [0, 1];
    returns logits (N, channels_out, ...) of the same size. Sizes that are no multiples of `unit` are
    padded at the far ends with what lies at the edge (a reflection would need more slices than it adds),
    and the logits are cropped. None of their operations is on the list of those that
    `torch.use_deterministic_algorithms` refuses on a GPU.

    Every network has these parameters; those of its own are described beside it.

    Parameters
    ----------
    channels_in : int
        1 for grey images; the published counts of parameters are for grey copied into 3 channels.
    channels_out : int
        Number of classes.
    width or growth : int
        Channels of the first level; the default is the published one, and all layers scale with it.
    norm_momentum : float or None
        Share of the newest batch in the running statistics of all batch norms. None keeps what was
        published, which needs hundreds of steps (0.01) or thousands (0.001) before the statistics are of
        use; a short training wants 0.1.

    Attributes
    ----------
    dimensions : {2, 3}
        Number of axes that are segmented.
    unit : int
        By how much the deepest level is smaller than the image, along every axis.
    """

    dimensions = 2
    unit = 1

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != self.dimensions + 2:
            raise InputError(
                "network.name",
                f"a network for {self.dimensions}D images, given a batch of shape {tuple(x.shape)}",
                f"{self.dimensions + 2} axes: batch, channels and {self.dimensions} of space",
                "Choose a network for this kind of samples.",
            )
        return _crop(self.segment(_pad(x, self.unit)), x.shape[2:])

    def segment(self, x: Tensor) -> Tensor:
        """Return logits of the size of `x`, whose sizes are multiples of `unit`."""
        raise NotImplementedError


def set_norm_momentum(network: nn.Module, momentum: float | None) -> None:
    """Set the share of the newest batch in all running statistics, in place; None changes nothing."""
    for module in network.modules():
        if momentum is not None and isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d):
            module.momentum = momentum


def _pad(x: Tensor, unit: int) -> Tensor:
    # Torch counts the axes of its padding from the last one.
    missing = [-size % unit for size in reversed(x.shape[2:])]
    if not any(missing):
        return x
    return nn.functional.pad(x, [side for end in missing for side in (0, end)], mode="replicate")


def _crop(x: Tensor, size: torch.Size) -> Tensor:
    return x if x.shape[2:] == size else x[(..., *(slice(length) for length in size))]
