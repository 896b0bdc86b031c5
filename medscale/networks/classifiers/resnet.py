"""Residual networks with torchvision's parameter names.

Source: He et al., Deep Residual Learning for Image Recognition, CVPR 2016, Table 1. As in torchvision,
the bottleneck's stride lies on its 3x3 convolution ("ResNet v1.5"). Without shortcuts the networks are the
"plain" ones that the paper and the lecture compare them with.
"""

from torch import Tensor, nn

from medscale.networks.classifiers.base import Classifier

STEM_WIDTH = 64


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut; (N, C, H, W) to (N, width, H/stride, W/stride)."""

    expansion = 1

    def __init__(self, channels: int, width: int, stride: int, shortcuts: bool = True):
        super().__init__()
        self.shortcuts = shortcuts
        self.conv1 = _convolution(channels, width, 3, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _convolution(width, width, 3)
        self.bn2 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.downsample = _shortcut(channels, width * self.expansion, stride) if shortcuts else None

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.bn2(self.conv2(x))
        return self.relu(x + shortcut if self.shortcuts else x)


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions and a shortcut; (N, C, H, W) to (N, 4 width, H/stride, W/stride)."""

    expansion = 4

    def __init__(self, channels: int, width: int, stride: int, shortcuts: bool = True):
        super().__init__()
        self.shortcuts = shortcuts
        self.conv1 = _convolution(channels, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _convolution(width, width, 3, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = _convolution(width, width * self.expansion, 1)
        self.bn3 = nn.BatchNorm2d(width * self.expansion)
        self.relu = nn.ReLU()
        self.downsample = _shortcut(channels, width * self.expansion, stride) if shortcuts else None

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        x = self.bn3(self.conv3(x))
        return self.relu(x + shortcut if self.shortcuts else x)


class ResNet(Classifier):
    """Residual network for images of any size; see `Classifier` for shapes and common parameters.

    Parameters
    ----------
    block : type
        `BasicBlock` or `Bottleneck`.
    blocks : sequence of 4 int
        Number of blocks in each stage.
    shortcuts : bool
        False builds the plain network of the same depth, which has no projections either.
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        blocks: tuple[int, int, int, int],
        outputs: int = 1,
        channels_in: int = 3,
        width: int = STEM_WIDTH,
        shortcuts: bool = True,
    ):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, width, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        grown, rest = width * block.expansion, {"stride": 2, "shortcuts": shortcuts}
        self.layer1 = _stage(block, width, width, blocks[0], stride=1, shortcuts=shortcuts)
        self.layer2 = _stage(block, grown, 2 * width, blocks[1], **rest)
        self.layer3 = _stage(block, 2 * grown, 4 * width, blocks[2], **rest)
        self.layer4 = _stage(block, 4 * grown, 8 * width, blocks[3], **rest)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8 * grown, outputs)
        self.apply(_initialise)

    def classify(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


def resnet10(**settings) -> ResNet:
    """One basic block a stage: the smallest of the family, for demo data."""
    return ResNet(BasicBlock, (1, 1, 1, 1), **settings)


def resnet18(**settings) -> ResNet:
    return ResNet(BasicBlock, (2, 2, 2, 2), **settings)


def resnet34(**settings) -> ResNet:
    return ResNet(BasicBlock, (3, 4, 6, 3), **settings)


def resnet50(**settings) -> ResNet:
    return ResNet(Bottleneck, (3, 4, 6, 3), **settings)


def resnet101(**settings) -> ResNet:
    """The network of the thesis: 42,502,209 parameters with one output."""
    return ResNet(Bottleneck, (3, 4, 23, 3), **settings)


def _stage(block, channels: int, width: int, count: int, stride: int, shortcuts: bool) -> nn.Sequential:
    first = block(channels, width, stride, shortcuts)
    rest = (block(width * block.expansion, width, 1, shortcuts) for _ in range(count - 1))
    return nn.Sequential(first, *rest)


def _convolution(channels: int, width: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, width, kernel, stride, padding=kernel // 2, bias=False)


def _shortcut(channels: int, width: int, stride: int) -> nn.Sequential | None:
    if stride == 1 and channels == width:
        return None
    return nn.Sequential(_convolution(channels, width, 1, stride), nn.BatchNorm2d(width))


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
