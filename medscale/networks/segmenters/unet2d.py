"""The thesis's Unet2D: two halvings, batch norm after each ReLU, 2,465,619 parameters.

Source: the thesis, section 5.2.1, and its code, where each half of the figure is a convolution with ReLU
and then batch norm, the lowest level has three of them, and a layer of 10 channels comes before the last.
"""

from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from medscale.networks.segmenters.base import Segmenter, set_norm_momentum
from medscale.networks.segmenters.blocks import activated_convolution
from medscale.networks.segmenters.initialisation import glorot_uniform, he_normal

# Kept at every width: three classes cannot be told apart by fewer.
LAST_WIDTH = 10


class Unet2D(Segmenter):
    """U-Net with three levels for images; see `Segmenter` for shapes and common parameters.

    The thesis's training also pulls the kernels towards zero (L2, 1e-4), which is left to the optimiser.

    Parameters
    ----------
    batch_norm : bool
        False leaves the batch norms out, as the thesis's first trials did.
    """

    unit = 4

    def __init__(
        self,
        channels_in: int = 1,
        channels_out: int = 3,
        width: int = 64,
        batch_norm: bool = True,
        norm_momentum: float | None = None,
    ):
        super().__init__()
        upper, middle, lower = width, 2 * width, 4 * width
        layers = partial(_layers, batch_norm=batch_norm)
        self.halve = nn.MaxPool2d(2)
        self.down_upper = layers(channels_in, upper, upper)
        self.down_middle = layers(upper, middle, middle)
        self.bottom = layers(middle, lower, lower, lower)
        self.enlarge_middle = _enlarge(lower, middle, batch_norm)
        self.up_middle = layers(2 * middle, middle, middle)
        self.enlarge_upper = _enlarge(middle, upper, batch_norm)
        self.up_upper = layers(2 * upper, upper, upper, LAST_WIDTH)
        self.apply(he_normal)
        self.last = nn.Conv2d(LAST_WIDTH, channels_out, 1).apply(glorot_uniform)
        set_norm_momentum(self, norm_momentum)

    def segment(self, x: Tensor) -> Tensor:
        upper = self.down_upper(x)
        middle = self.down_middle(self.halve(upper))
        x = self.bottom(self.halve(middle))
        x = self.up_middle(torch.cat([middle, self.enlarge_middle(x)], dim=1))
        x = self.up_upper(torch.cat([upper, self.enlarge_upper(x)], dim=1))
        return self.last(x)


def _layers(*widths: int, batch_norm: bool) -> nn.Sequential:
    return nn.Sequential(*(activated_convolution(*pair, norm=batch_norm) for pair in pairwise(widths)))


def _enlarge(channels: int, width: int, batch_norm: bool) -> nn.Sequential:
    """Return twice the size by repeating pixels, smoothed by a 2x2 convolution."""
    return nn.Sequential(
        nn.Upsample(scale_factor=2), activated_convolution(channels, width, kernel=2, norm=batch_norm)
    )
