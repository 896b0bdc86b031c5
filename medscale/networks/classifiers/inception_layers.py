"""Layers that GoogLeNet and Inception v3 share."""

import torch
from torch import Tensor, nn

from medscale.errors import InputError
from medscale.networks.imagenet import MEAN, SPREAD


class ActivatedConvolution(nn.Module):
    """Convolution without bias, batch norm and ReLU; (N, C, H, W) to (N, width, H', W').

    A stride of 1 keeps the size; larger ones take no pixel from beyond the edge unless `padding` says so.
    """

    def __init__(
        self,
        channels: int,
        width: int,
        kernel: tuple[int, int] = (1, 1),
        stride: int = 1,
        padding: tuple[int, int] | None = None,
    ):
        super().__init__()
        if padding is None:
            padding = (kernel[0] // 2, kernel[1] // 2) if stride == 1 else (0, 0)
        self.conv = nn.Conv2d(channels, width, kernel, stride, padding, bias=False)
        # Both networks come from TensorFlow, where this was the number.
        self.bn = nn.BatchNorm2d(width, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.relu(self.bn(self.conv(x)))


def draw_truncated(module: nn.Module, spread: float) -> None:
    """Draw a layer's weights from N(0, spread^2) within +-2, as torchvision does; for `nn.Module.apply`."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.trunc_normal_(module.weight, 0, spread, -2, 2)


def check_rescaling(rescale_input: bool, channels_in: int) -> None:
    """Refuse to rescale what has no three colours.

    Raises
    ------
    InputError
        If images of other than three channels are to be rescaled.
    """
    if rescale_input and channels_in != 3:
        raise InputError(
            "network.rescale_input",
            f"true, with {channels_in} channels",
            "3 channels, for it undoes ImageNet's mean of each colour",
            "Set network.rescale_input to false.",
        )


def rescale(x: Tensor) -> Tensor:
    """Return images that were standardised with ImageNet's mean and spread as 2 v - 1, v in [0, 1]."""
    mean, spread = (torch.tensor(n, device=x.device, dtype=x.dtype)[:, None, None] for n in (MEAN, SPREAD))
    return 2 * (x * spread + mean) - 1
