"""GoogLeNet with torchvision's parameter names: 13,004,888 parameters for 1000 classes, with all heads.

Source: Szegedy et al., Going Deeper with Convolutions, CVPR 2015, Table 1 and section 5. As in
torchvision, each convolution has a batch norm, and the branch the paper draws with a 5x5 kernel has a 3x3
one, which its published weights need. Without its auxiliary heads the network has 6,624,904 parameters.
"""

import torch
from torch import Tensor, nn

from medscale.networks.classifiers.auxiliary import Outputs
from medscale.networks.classifiers.base import Classifier, scale_channels
from medscale.networks.classifiers.inception_layers import (
    ActivatedConvolution,
    check_rescaling,
    draw_truncated,
    rescale,
)
from medscale.networks.classifiers.pooling import BinnedMean

PUBLISHED_WIDTH = 64
AUXILIARY_WEIGHT = 0.3
# Table 1: widths of 1x1, before and of 3x3, before and of the third branch, and after the maximum.
MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


class Inception(nn.Module):
    """Four branches side by side, joined; (N, C, H, W) to (N, sum of their widths, H, W)."""

    def __init__(self, channels: int, widths: tuple[int, ...]):
        super().__init__()
        one, before_three, three, before_five, five, pooled = widths
        self.branch1 = ActivatedConvolution(channels, one)
        self.branch2 = _branch(channels, before_three, three)
        self.branch3 = _branch(channels, before_five, five)
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1), ActivatedConvolution(channels, pooled)
        )
        self.channels_out = one + three + five + pooled

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], dim=1)


class AuxiliaryHead(nn.Module):
    """Mean over 4 x 4 bins, a 1x1 convolution and two linear layers; (N, C, H, W) to (N, outputs)."""

    def __init__(self, channels: int, outputs: int, width: int, dropout: float):
        super().__init__()
        narrow, hidden = (scale_channels(n, width, PUBLISHED_WIDTH) for n in (128, 1024))
        self.pool = BinnedMean(4)
        self.conv = ActivatedConvolution(channels, narrow)
        self.fc1 = nn.Linear(narrow * 16, hidden)
        self.dropout = nn.Dropout(dropout)
        self.fc2 = nn.Linear(hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.relu(self.fc1(self.conv(self.pool(x)).flatten(1)))
        return self.fc2(self.dropout(x))


class GoogLeNet(Classifier):
    """Nine Inception modules on three levels; see `Classifier`.

    In training mode with auxiliary heads it returns `Outputs` with those after modules 4a and 4d, and the
    weight 0.3 (section 5); in eval mode the heads are not computed.

    Parameters
    ----------
    auxiliary : bool
        Whether to build the auxiliary heads.
    rescale_input : bool
        Whether images come standardised with ImageNet's mean and spread and are brought to [-1, 1] here:
        torchvision's published weights expect that.
    dropout, auxiliary_dropout : float
        Share of the last layers' inputs that training sets to 0; the paper has 0.4 for the first.
    """

    smallest_px = 15
    heads = ("fc", "aux1.fc2", "aux2.fc2")
    auxiliary_heads = ("aux1", "aux2")

    def __init__(
        self,
        outputs: int = 1,
        channels_in: int = 3,
        width: int = PUBLISHED_WIDTH,
        auxiliary: bool = True,
        rescale_input: bool = False,
        dropout: float = 0.2,
        auxiliary_dropout: float = 0.7,
    ):
        super().__init__()
        check_rescaling(rescale_input, channels_in)
        self.auxiliary, self.rescale_input = auxiliary, rescale_input
        channels = self._add_stem(channels_in, width)
        for name, published in MODULES.items():
            module = Inception(channels, tuple(scale_channels(n, width, PUBLISHED_WIDTH) for n in published))
            setattr(self, f"inception{name}", module)
            channels = module.channels_out
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(channels, outputs)
        if auxiliary:
            heads = (self.inception4a.channels_out, self.inception4d.channels_out)
            self.aux1, self.aux2 = (AuxiliaryHead(n, outputs, width, auxiliary_dropout) for n in heads)
        self.apply(lambda module: draw_truncated(module, 0.01))

    def _add_stem(self, channels_in: int, width: int) -> int:
        """Add what comes before the modules; return its channels."""
        channels = scale_channels(192, width, PUBLISHED_WIDTH)
        self.conv1 = ActivatedConvolution(channels_in, width, (7, 7), stride=2, padding=(3, 3))
        self.conv2 = ActivatedConvolution(width, width)
        self.conv3 = ActivatedConvolution(width, channels, (3, 3))
        # A last column that fills no whole window counts too, as in the paper's Caffe.
        self.halve = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.halve_last = nn.MaxPool2d(2, stride=2, ceil_mode=True)
        return channels

    def classify(self, x: Tensor) -> Tensor | Outputs:
        x = self.halve(self.conv1(rescale(x) if self.rescale_input else x))
        x = self.halve(self.conv3(self.conv2(x)))
        x = self.halve(self.inception3b(self.inception3a(x)))
        lower = self.inception4a(x)
        upper = self.inception4d(self.inception4c(self.inception4b(lower)))
        x = self.halve_last(self.inception4e(upper))
        x = self.inception5b(self.inception5a(x))
        logits = self.fc(self.dropout(self.avgpool(x).flatten(1)))
        if not (self.training and self.auxiliary):
            return logits
        return Outputs(logits, (self.aux1(lower), self.aux2(upper)), AUXILIARY_WEIGHT)


def _branch(channels: int, narrow: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        ActivatedConvolution(channels, narrow), ActivatedConvolution(narrow, width, kernel=(3, 3))
    )
