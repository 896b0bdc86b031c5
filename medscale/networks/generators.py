"""Networks that draw new slices with their labels, and those that tell them from real ones.

Source: Radford, Metz and Chintala, Unsupervised Representation Learning with Deep Convolutional Generative
Adversarial Networks, ICLR 2016, with class maps beside the image.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from medscale.errors import InputError

SMALLEST_PX = 4
SIZES_PX = (32, 64, 128)
SLOPE = 0.2


class DCGANGenerator(nn.Module):
    """Noise (N, noise) to a slice and its labels (N, 1 + classes, size, size).

    Channel 0 is the image in [0, 1]; the others are the classes' logits.

    Parameters
    ----------
    size : {32, 64, 128}
        Side of the slice, px.
    width : int
        Channels of the last hidden layer; each one before has twice as many.
    noise : int
        Length of the noise, to be drawn from N(0, 1).
    classes : int

    Raises
    ------
    InputError
        If there is no network for this size.
    """

    def __init__(self, size: int = 64, width: int = 64, noise: int = 100, classes: int = 3):
        super().__init__()
        widths = _widths(size, width)[::-1]
        self.noise = noise
        self.first = _enlarge(noise, widths[0], stride=1, padding=0)
        self.hidden = nn.Sequential(*(_enlarge(*pair) for pair in pairwise(widths)))
        self.last = nn.ConvTranspose2d(widths[-1], 1 + classes, 4, 2, 1)
        self.apply(_initialise)

    def forward(self, noise: Tensor) -> Tensor:
        drawn = self.last(self.hidden(self.first(noise[:, :, None, None])))
        return torch.cat([torch.sigmoid(drawn[:, :1]), drawn[:, 1:]], dim=1)


class DCGANDiscriminator(nn.Module):
    """A slice and its labels (N, 1 + classes, size, size) to a logit of being real (N, 1).

    Channel 0 is the image in [0, 1]; the others are the classes' probabilities, 0 and 1 for real labels.

    Parameters
    ----------
    size : {32, 64, 128}
        Side of the slice, px.
    width : int
        Channels of the first layer; each one after it has twice as many.
    classes : int

    Raises
    ------
    InputError
        If there is no network for this size.
    """

    def __init__(self, size: int = 64, width: int = 64, classes: int = 3):
        super().__init__()
        widths = _widths(size, width)
        self.layers = nn.Sequential(
            *(nn.Conv2d(1 + classes, widths[0], 4, 2, 1), nn.LeakyReLU(SLOPE, inplace=True)),
            *(_halve(*pair) for pair in pairwise(widths)),
            nn.Conv2d(widths[-1], 1, SMALLEST_PX),
        )
        self.apply(_initialise)

    def forward(self, slices: Tensor) -> Tensor:
        return self.layers(slices).flatten(1)


def as_probabilities(drawn: Tensor) -> Tensor:
    """Return what a generator drew with class probabilities in place of logits; (N, 1 + classes, H, W)."""
    return torch.cat([drawn[:, :1], drawn[:, 1:].float().softmax(dim=1).to(drawn.dtype)], dim=1)


def _widths(size: int, width: int) -> list[int]:
    """Return the channels of all levels from half the size to the smallest."""
    if size not in SIZES_PX:
        expected = f"one of {', '.join(map(str, SIZES_PX))}"
        raise InputError("network.size", repr(size), expected, "Choose a size that halves down to 4 px.")
    return [width << level for level in range((size // SMALLEST_PX).bit_length() - 1)]


def _enlarge(channels: int, width: int, stride: int = 2, padding: int = 1) -> nn.Sequential:
    convolution = nn.ConvTranspose2d(channels, width, 4, stride, padding, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(width), nn.ReLU(inplace=True))


def _halve(channels: int, width: int) -> nn.Sequential:
    convolution = nn.Conv2d(channels, width, 4, 2, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(width), nn.LeakyReLU(SLOPE, inplace=True))


def _initialise(module: nn.Module) -> None:
    """Draw weights as section 3 of the source says."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
