"""The thesis's DeepLabv3+, which has no decoder, with 2,142,019 parameters, and the same with one.

Source: Chen et al., Encoder-Decoder with Atrous Separable Convolution for Semantic Image Segmentation,
ECCV 2018; Sandler et al., MobileNetV2, CVPR 2018, Table 2; the thesis, section 5.2.5, and its code. This is
a port to Keras whose variant with MobileNetV2 ends where the published decoder begins, and whose
pyramid is one 1x1 convolution beside the average of the image. Downsampling pads by one pixel on all
sides, where TensorFlow pads at the far ends only.
"""

import torch
from torch import Tensor, nn

from medscale.networks.segmenters.base import Segmenter, set_norm_momentum
from medscale.networks.segmenters.blocks import Norm2d
from medscale.networks.segmenters.initialisation import glorot_uniform
from medscale.networks.segmenters.resizing import resize_bilinear

BACKBONE_MOMENTUM = 0.001
EPS = 1e-5
DROPOUT = 0.1
PUBLISHED_WIDTH = 32
# Channels, expansion, stride and dilation of each inverted residual; the features are 1/8 of the image.
BLOCKS = (
    (16, 1, 1, 1),
    *((24, 6, 2, 1), (24, 6, 1, 1)),
    *((32, 6, 2, 1), (32, 6, 1, 1), (32, 6, 1, 1)),
    *((64, 6, 1, 1), (64, 6, 1, 2), (64, 6, 1, 2), (64, 6, 1, 2)),
    *((96, 6, 1, 2), (96, 6, 1, 2), (96, 6, 1, 2)),
    *((160, 6, 1, 2), (160, 6, 1, 4), (160, 6, 1, 4)),
    (320, 6, 1, 4),
)
# The decoder takes what leaves the blocks of 24 channels, 1/4 of the image.
BLOCKS_AT_A_QUARTER, QUARTER_WIDTH, PROJECTED_WIDTH = 3, 24, 48


class InvertedResidual(nn.Module):
    """Widen, filter each channel, narrow; a shortcut where nothing changes its size.

    (N, channels, H, W) to (N, width, H / stride, W / stride).
    """

    def __init__(self, channels: int, width: int, expansion: int, stride: int, dilation: int):
        super().__init__()
        wide = expansion * channels
        self.shortcut = stride == 1 and channels == width
        self.convolutions = nn.Sequential(
            *(_backbone_convolution(channels, wide, 1) if expansion > 1 else ()),
            *_backbone_convolution(wide, wide, 3, stride=stride, dilation=dilation, groups=wide),
            *_backbone_convolution(wide, width, 1)[:-1],
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.convolutions(x) if self.shortcut else self.convolutions(x)


class AtrousPyramid(nn.Module):
    """The image's average, a 1x1 convolution and dilated ones, joined.

    (N, channels, H, W) to (N, width, H, W).

    Parameters
    ----------
    rates : tuple of int
        Dilations of the 3x3 convolutions.
    """

    def __init__(self, channels: int, width: int, rates: tuple[int, ...]):
        super().__init__()
        self.image = _convolution(channels, width)
        self.branches = nn.ModuleList(
            [_convolution(channels, width), *(_separable(channels, width, rate) for rate in rates)]
        )
        self.join = nn.Sequential(_convolution((2 + len(rates)) * width, width), nn.Dropout(DROPOUT))

    def forward(self, x: Tensor) -> Tensor:
        image = self.image(x.mean(dim=(2, 3), keepdim=True)).expand(-1, -1, *x.shape[2:])
        return self.join(torch.cat([image, *(branch(x) for branch in self.branches)], dim=1))


class DeepLabV3Plus(Segmenter):
    """MobileNetV2, pyramid and eightfold enlargement; see `Segmenter` for shapes and common parameters.

    A batch of one image cannot be trained on, for of its average one value a channel is left.

    Parameters
    ----------
    atrous_rates : tuple of int
        Dilations of further branches of the pyramid, in pixels of the features, 8 px of the image. The
        thesis names 6, 12 and 18, which its code has for another backbone only; on the 16 x 16 features of
        128 px many of their taps lie outside.
    """

    unit = 8

    def __init__(
        self,
        channels_in: int = 1,
        channels_out: int = 3,
        width: int = PUBLISHED_WIDTH,
        atrous_rates: tuple[int, ...] = (),
        norm_momentum: float | None = None,
    ):
        super().__init__()
        self.backbone = nn.ModuleList(_backbone(channels_in, width))
        self.pyramid = AtrousPyramid(_scale(BLOCKS[-1][0], width), 8 * width, atrous_rates)
        self.add_decoder(width)
        self.last = nn.Conv2d(8 * width, channels_out, 1)
        self.apply(glorot_uniform)
        set_norm_momentum(self, norm_momentum)

    def segment(self, x: Tensor) -> Tensor:
        size = x.shape[2:]
        for layer in self.backbone[: 1 + BLOCKS_AT_A_QUARTER]:
            x = layer(x)
        quarter = x
        for layer in self.backbone[1 + BLOCKS_AT_A_QUARTER :]:
            x = layer(x)
        logits = self.last(self.decode(self.pyramid(x), quarter))
        return resize_bilinear(logits, size, align_corners=False)

    def add_decoder(self, width: int) -> None:
        """Add the layers that `decode` uses; here none."""

    def decode(self, x: Tensor, quarter: Tensor) -> Tensor:
        """Return the features that the last layer sees; the larger ones go unused."""
        return x


class DeepLabV3PlusDecoder(DeepLabV3Plus):
    """DeepLabv3+ with the decoder that gave it its plus: features of a quarter of the image are joined.

    Source: Chen et al. 2018, section 3.1 and Figure 2; 48 channels of the larger features and two
    separable 3x3 convolutions (Tables 1 and 2).
    """

    def add_decoder(self, width: int) -> None:
        """Add the projection of the larger features and the two convolutions after joining."""
        wide, projected = 8 * width, _scale(PROJECTED_WIDTH, width)
        self.project = _convolution(_scale(QUARTER_WIDTH, width), projected)
        self.refine = nn.Sequential(_separable(wide + projected, wide), _separable(wide, wide))

    def decode(self, x: Tensor, quarter: Tensor) -> Tensor:
        """Return features of a quarter of the image; (N, 8 width, H / 4, W / 4)."""
        enlarged = resize_bilinear(x, quarter.shape[2:], align_corners=False)
        return self.refine(torch.cat([enlarged, self.project(quarter)], dim=1))


def _backbone(channels_in: int, width: int) -> list[nn.Module]:
    layers, channels = [nn.Sequential(*_backbone_convolution(channels_in, width, 3, stride=2))], width
    for published, *settings in BLOCKS:
        wide = _scale(published, width)
        layers.append(InvertedResidual(channels, wide, *settings))
        channels = wide
    return layers


def _backbone_convolution(
    channels: int, width: int, kernel: int, stride: int = 1, dilation: int = 1, groups: int = 1
) -> tuple[nn.Module, ...]:
    padding = dilation * (kernel // 2)
    return (
        nn.Conv2d(channels, width, kernel, stride, padding, dilation, groups, bias=False),
        Norm2d(width, momentum=BACKBONE_MOMENTUM),
        nn.ReLU6(inplace=True),
    )


def _convolution(
    channels: int, width: int, kernel: int = 1, dilation: int = 1, groups: int = 1
) -> nn.Sequential:
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.Conv2d(channels, width, kernel, 1, padding, dilation, groups, bias=False),
        Norm2d(width, eps=EPS),
        nn.ReLU(inplace=True),
    )


def _separable(channels: int, width: int, dilation: int = 1) -> nn.Sequential:
    return nn.Sequential(
        _convolution(channels, channels, 3, dilation, groups=channels), _convolution(channels, width)
    )


def _scale(width: int, first: int) -> int:
    """Return a layer's width in a network whose first layer has `first` channels."""
    return max(1, width * first // PUBLISHED_WIDTH)
