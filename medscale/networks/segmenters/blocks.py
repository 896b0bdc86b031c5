"""Layers that several segmentation networks are made of, with the defaults of Keras.

Source: the thesis's networks are written in Keras 2, whose batch norm keeps 0.99 of its running
statistics (a momentum of 0.01 in torch) and adds 0.001 to the variance.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from medscale.errors import InputError

KERAS_EPS, KERAS_MOMENTUM = 1e-3, 0.01


class _OfSeveralValues:
    """Batch norm that says what to do where a batch leaves one value a channel, which has no variance."""

    def __init__(self, channels: int, eps: float = KERAS_EPS, momentum: float = KERAS_MOMENTUM):
        super().__init__(channels, eps=eps, momentum=momentum)

    def forward(self, x: Tensor) -> Tensor:
        if self.training and x.numel() == x.shape[1]:
            raise InputError(
                "batch_size",
                "a training batch of one image, of which one pixel is left in the smallest maps",
                "at least 2 images, for batch norm has nothing to average otherwise",
                "Raise the batch size; a last batch of one image can be joined to the one before it.",
            )
        return super().forward(x)


class Norm2d(_OfSeveralValues, nn.BatchNorm2d):
    """Batch norm with Keras's defaults; (N, channels, rows, columns).

    Raises
    ------
    InputError
        If, in training, one value a channel is all there is.
    """


class Norm3d(_OfSeveralValues, nn.BatchNorm3d):
    """Batch norm with Keras's defaults; (N, channels, slices, rows, columns). Raises as `Norm2d` does."""


class DenseBlock(nn.Module):
    """Layers of which each sees what entered the block and what all before it made.

    (N, channels, H, W) to (N, channels + count * growth, H, W).

    Parameters
    ----------
    layer : callable
        Makes a layer of (channels, growth).
    """

    def __init__(self, layer: Callable[[int, int], nn.Module], channels: int, growth: int, count: int):
        super().__init__()
        self.layers = nn.ModuleList(layer(channels + i * growth, growth) for i in range(count))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.cat([x, layer(x)], dim=1)
        return x


def activated_convolution(channels: int, width: int, kernel: int = 3, norm: bool = True) -> nn.Sequential:
    """Return a convolution with bias, ReLU, then batch norm: the thesis normalises after the ReLU.

    An even kernel reaches one pixel further to the right and down than to the left and up, as
    TensorFlow's does.
    """
    before = (kernel - 1) // 2
    after = kernel - 1 - before
    if before == after:
        convolution = (nn.Conv2d(channels, width, kernel, padding=before),)
    else:
        convolution = (nn.ZeroPad2d((before, after, before, after)), nn.Conv2d(channels, width, kernel))
    return nn.Sequential(*convolution, nn.ReLU(inplace=True), *([Norm2d(width)] if norm else []))
