"""LeNet-5: 61,706 parameters for grey images of 32 x 32 px and 10 classes.

Source: LeCun et al., Gradient-Based Learning Applied to Document Recognition, Proc. IEEE 86 (1998),
section II.B. As in the lecture and everywhere since, the second convolution sees all maps of the first,
the averages have no weights of their own, and the last layer is linear rather than of radial functions.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from medscale.networks.classifiers.base import SquareClassifier, scale_channels

PUBLISHED_WIDTH = 6


class ScaledTanh(nn.Module):
    """1.7159 tanh(2 x / 3), which leaves 1 and -1 where they are (LeCun 1998, appendix A)."""

    def forward(self, x: Tensor) -> Tensor:
        return 1.7159 * torch.tanh(2 / 3 * x)


class LeNet5(SquareClassifier):
    """Two convolutions, each averaged over 2 x 2 px, and three linear layers; see `SquareClassifier`."""

    smallest_px = 16
    heads = ("fc3",)

    def __init__(
        self, outputs: int = 1, channels_in: int = 1, width: int = PUBLISHED_WIDTH, size_px: int = 32
    ):
        super().__init__(size_px)
        first, second, third, fourth = (scale_channels(n, width, PUBLISHED_WIDTH) for n in (6, 16, 120, 84))
        left_px = ((size_px - 4) // 2 - 4) // 2
        self.features = nn.Sequential(
            OrderedDict(
                conv1=nn.Conv2d(channels_in, first, 5),
                activation1=ScaledTanh(),
                pool1=nn.AvgPool2d(2),
                conv2=nn.Conv2d(first, second, 5),
                activation2=ScaledTanh(),
                pool2=nn.AvgPool2d(2),
            )
        )
        self.activation = ScaledTanh()
        self.fc1 = nn.Linear(second * left_px**2, third)
        self.fc2 = nn.Linear(third, fourth)
        self.fc3 = nn.Linear(fourth, outputs)
        self.apply(_initialise)

    def classify(self, x: Tensor) -> Tensor:
        x = self.activation(self.fc1(self.features(x).flatten(1)))
        return self.fc3(self.activation(self.fc2(x)))


def _initialise(module: nn.Module) -> None:
    """Draw weights evenly from +-2.4 / inputs, as the paper does (appendix A); biases start at 0."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        edge = 2.4 / module.weight[0].numel()
        nn.init.uniform_(module.weight, -edge, edge)
        nn.init.zeros_(module.bias)
