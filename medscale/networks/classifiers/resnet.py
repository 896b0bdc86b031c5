"""Residual networks with torchvision's parameter names.

Source: He et al., Deep Residual Learning for Image Recognition, CVPR 2016, Table 1. As in torchvision,
the bottleneck's stride lies on its 3x3 convolution ("ResNet v1.5").
"""

from torch import Tensor, nn

STEM_WIDTH = 64


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut; (N, C, H, W) to (N, width, H/stride, W/stride)."""

    expansion = 1

    def __init__(self, channels: int, width: int, stride: int):
        super().__init__()
        self.conv1 = _convolution(channels, width, 3, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _convolution(width, width, 3)
        self.bn2 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.downsample = _shortcut(channels, width * self.expansion, stride)

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.bn2(self.conv2(x))
        return self.relu(x + shortcut)


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions and a shortcut; (N, C, H, W) to (N, 4 width, H/stride, W/stride)."""

    expansion = 4

    def __init__(self, channels: int, width: int, stride: int):
        super().__init__()
        self.conv1 = _convolution(channels, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _convolution(width, width, 3, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = _convolution(width, width * self.expansion, 1)
        self.bn3 = nn.BatchNorm2d(width * self.expansion)
        self.relu = nn.ReLU()
        self.downsample = _shortcut(channels, width * self.expansion, stride)

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        x = self.bn3(self.conv3(x))
        return self.relu(x + shortcut)


class ResNet(nn.Module):
    """Residual network for images (N, in_channels, H, W) with logits (N, outputs).

    Parameters
    ----------
    block : type
        `BasicBlock` or `Bottleneck`.
    blocks : sequence of 4 int
        Number of blocks in each stage.
    outputs : int
        Number of logits; one logit stands for the probability of tumour (thesis, section 2.2.1).
    in_channels : int
    width : int
        Channels of the first stage; torchvision's networks have 64.
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        blocks: tuple[int, int, int, int],
        outputs: int = 1,
        in_channels: int = 3,
        width: int = STEM_WIDTH,
    ):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.layer1 = _stage(block, width, width, blocks[0], stride=1)
        self.layer2 = _stage(block, width * block.expansion, 2 * width, blocks[1], stride=2)
        self.layer3 = _stage(block, 2 * width * block.expansion, 4 * width, blocks[2], stride=2)
        self.layer4 = _stage(block, 4 * width * block.expansion, 8 * width, blocks[3], stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8 * width * block.expansion, outputs)
        self.apply(_initialise)

    def forward(self, x: Tensor) -> Tensor:
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


def _stage(block, channels: int, width: int, count: int, stride: int) -> nn.Sequential:
    first = block(channels, width, stride)
    return nn.Sequential(first, *(block(width * block.expansion, width, 1) for _ in range(count - 1)))


def _convolution(channels: int, width: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, width, kernel, stride, padding=kernel // 2, bias=False)


def _shortcut(channels: int, width: int, stride: int) -> nn.Sequential | None:
    if stride == 1 and channels == width:
        return None
    return nn.Sequential(_convolution(channels, width, 1, stride), nn.BatchNorm2d(width))


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
