"""DenseNet-121 with torchvision's parameter names: 7,978,856 parameters for 1000 classes.

Source: Huang et al., Densely Connected Convolutional Networks, CVPR 2017, Table 1 (DenseNet-BC with a
growth of 32 and a compression of one half).
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from medscale.networks.classifiers.base import Classifier, scale_channels

PUBLISHED_WIDTH, PUBLISHED_GROWTH = 64, 32
# The 1x1 convolution before each 3x3 one makes so many times the growth.
BOTTLENECK = 4


class DenseLayer(nn.Module):
    """1x1 and 3x3 convolutions, each after norm and ReLU; (N, C, H, W) to (N, C + growth, H, W)."""

    def __init__(self, channels: int, growth: int):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, BOTTLENECK * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(BOTTLENECK * growth)
        self.conv2 = nn.Conv2d(BOTTLENECK * growth, growth, 3, padding=1, bias=False)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        made = self.conv1(self.relu(self.norm1(x)))
        made = self.conv2(self.relu(self.norm2(made)))
        return torch.cat([x, made], dim=1)


class DenseNet(Classifier):
    """Four blocks in which every layer sees all before it; see `Classifier`.

    The growth is half of `width`.

    Parameters
    ----------
    layers : sequence of int
        Number of layers in each block.
    """

    smallest_px = 29
    heads = ("classifier",)

    def __init__(
        self,
        layers: tuple[int, ...],
        outputs: int = 1,
        channels_in: int = 3,
        width: int = PUBLISHED_WIDTH,
    ):
        super().__init__()
        growth = scale_channels(PUBLISHED_GROWTH, width, PUBLISHED_WIDTH)
        self.features = _stem(channels_in, width)
        channels = width
        for number, count in enumerate(layers, start=1):
            self.features.add_module(f"denseblock{number}", _block(channels, growth, count))
            channels += count * growth
            if number < len(layers):
                self.features.add_module(f"transition{number}", _transition(channels))
                channels //= 2
        self.features.add_module(f"norm{len(layers) + 1}", nn.BatchNorm2d(channels))
        self.relu = nn.ReLU()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(channels, outputs)
        self.apply(_initialise)

    def classify(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.relu(self.features(x))).flatten(1))


def densenet121(**settings) -> DenseNet:
    return DenseNet((6, 12, 24, 16), **settings)


def _stem(channels_in: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            conv0=nn.Conv2d(channels_in, width, 7, stride=2, padding=3, bias=False),
            norm0=nn.BatchNorm2d(width),
            relu0=nn.ReLU(),
            pool0=nn.MaxPool2d(3, stride=2, padding=1),
        )
    )


def _block(channels: int, growth: int, count: int) -> nn.Sequential:
    layers = (DenseLayer(channels + number * growth, growth) for number in range(count))
    return nn.Sequential(OrderedDict((f"denselayer{i}", layer) for i, layer in enumerate(layers, start=1)))


def _transition(channels: int) -> nn.Sequential:
    """Return half the channels at half the size."""
    return nn.Sequential(
        OrderedDict(
            norm=nn.BatchNorm2d(channels),
            relu=nn.ReLU(),
            conv=nn.Conv2d(channels, channels // 2, 1, bias=False),
            pool=nn.AvgPool2d(2),
        )
    )


def _initialise(module: nn.Module) -> None:
    """Draw as torchvision does: convolutions by He, the last layer as torch does, its bias is 0."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight)
    if isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)
