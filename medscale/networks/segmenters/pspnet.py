"""The thesis's pyramid scene parsing networks: 1,651,331 and 46,765,763 parameters.

Source: Zhao et al., Pyramid Scene Parsing Network, CVPR 2017; the thesis, section 5.2.3, and its code,
where the small network has an encoder of three convolutions and its pyramid pools the image itself.
"""

import torch
from torch import Tensor, nn

from medscale.networks.segmenters.base import Segmenter, set_norm_momentum
from medscale.networks.segmenters.blocks import Norm2d, activated_convolution
from medscale.networks.segmenters.initialisation import glorot_uniform, he_normal
from medscale.networks.segmenters.resizing import resize_bilinear

EPS, MOMENTUM = 1e-5, 0.05
POOLS_PX = (16, 8, 4, 2)
DROPOUT = 0.1


class PyramidPooling(nn.Module):
    """Averages of several coarseness, each through a 1x1 convolution; (N, channels, H, W).

    Returns (N, len(pools_px) * width, *size), the finest average first. A pool that is larger than the map
    averages all of it.
    """

    def __init__(self, channels: int, width: int, pools_px: tuple[int, ...]):
        super().__init__()
        self.pools_px = tuple(sorted(pools_px))
        self.branches = nn.ModuleList(nn.Sequential(*_normalised(channels, width, 1)) for _ in pools_px)

    def forward(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        return torch.cat(
            [
                resize_bilinear(branch(_average(x, pool_px)), size, align_corners=True)
                for pool_px, branch in zip(self.pools_px, self.branches, strict=True)
            ],
            dim=1,
        )


class Bottleneck(nn.Module):
    """ReLU, then 1x1, 3x3 and 1x1 convolutions beside a shortcut, without ReLU after their sum.

    (N, channels, H, W) to (N, 4 width, H / stride, W / stride).
    """

    def __init__(self, channels: int, width: int, stride: int, dilation: int, project: bool):
        super().__init__()
        self.relu = nn.ReLU()
        self.convolutions = nn.Sequential(
            *_normalised(channels, width, 1, stride=stride),
            *_normalised(width, width, 3, dilation=dilation),
            *_normalised(width, 4 * width, 1)[:-1],
        )
        shortcut = _normalised(channels, 4 * width, 1, stride=stride)[:-1] if project else ()
        self.shortcut = nn.Sequential(*shortcut)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(x)
        return self.convolutions(x) + self.shortcut(x)


class PSPNetSmall(Segmenter):
    """Three convolutions and a pyramid of the image; see `Segmenter` for shapes and common parameters.

    Parameters
    ----------
    pools_px : tuple of int
        Sides of the squares of the image that are averaged; published for 128 x 128 px.
    """

    unit = 4

    def __init__(
        self,
        channels_in: int = 1,
        channels_out: int = 3,
        width: int = 64,
        pools_px: tuple[int, ...] = POOLS_PX,
        norm_momentum: float | None = None,
    ):
        super().__init__()
        wide = 4 * width
        self.encoder = nn.Sequential(
            *(activated_convolution(channels_in, width), nn.MaxPool2d(2)),
            activated_convolution(width, 2 * width, kernel=2),
            *(activated_convolution(2 * width, wide), nn.MaxPool2d(2)),
        )
        self.pyramid = PyramidPooling(channels_in, wide, pools_px)
        self.head = _head(wide * (1 + len(pools_px)), wide, 2, channels_out)
        self.apply(glorot_uniform)
        self.encoder.apply(he_normal)
        set_norm_momentum(self, norm_momentum)

    def segment(self, x: Tensor) -> Tensor:
        features = self.encoder(x)
        pooled = self.pyramid(x, features.shape[2:])
        logits = self.head(torch.cat([features, pooled], dim=1))
        return resize_bilinear(logits, x.shape[2:], align_corners=True)


class PSPNetBig(Segmenter):
    """A dilated ResNet-50 and a pyramid of its features; see `Segmenter` for shapes and common parameters.

    Parameters
    ----------
    pools_px : tuple of int
        Sides of the squares of the features that are averaged; one pixel of features is 8 of the image.
    blocks : tuple of 4 int
        Number of bottlenecks in each stage.
    """

    unit = 8

    def __init__(
        self,
        channels_in: int = 1,
        channels_out: int = 3,
        width: int = 64,
        pools_px: tuple[int, ...] = POOLS_PX,
        blocks: tuple[int, int, int, int] = (3, 4, 6, 3),
        norm_momentum: float | None = None,
    ):
        super().__init__()
        features, wide = 32 * width, 8 * width
        self.encoder = nn.Sequential(
            *_stem(channels_in, width),
            *_stage(2 * width, width, blocks[0]),
            *_stage(4 * width, 2 * width, blocks[1], stride=2),
            *_stage(8 * width, 4 * width, blocks[2], dilation=2),
            *_stage(16 * width, 8 * width, blocks[3], dilation=4),
            nn.ReLU(inplace=True),
        )
        self.pyramid = PyramidPooling(features, wide, pools_px)
        self.head = _head(features + wide * len(pools_px), wide, 3, channels_out)
        self.apply(glorot_uniform)
        set_norm_momentum(self, norm_momentum)

    def segment(self, x: Tensor) -> Tensor:
        features = self.encoder(x)
        pooled = self.pyramid(features, features.shape[2:])
        logits = self.head(torch.cat([features, pooled], dim=1))
        return resize_bilinear(logits, x.shape[2:], align_corners=True)


def _stem(channels: int, width: int) -> tuple[nn.Module, ...]:
    return (
        *_normalised(channels, width, 3, stride=2),
        *_normalised(width, width, 3),
        *_normalised(width, 2 * width, 3),
        nn.MaxPool2d(3, stride=2, padding=1),
    )


def _stage(channels: int, width: int, count: int, stride: int = 1, dilation: int = 1) -> list[Bottleneck]:
    first = Bottleneck(channels, width, stride, dilation, project=True)
    return [first, *(Bottleneck(4 * width, width, 1, dilation, project=False) for _ in range(count - 1))]


def _head(channels: int, width: int, kernel: int, channels_out: int) -> nn.Sequential:
    # An even kernel reaches one pixel further to the right and down.
    reach = nn.ZeroPad2d((0, 1, 0, 1)) if kernel == 2 else nn.Identity()
    return nn.Sequential(
        reach,
        *_normalised(channels, width, kernel),
        nn.Dropout(DROPOUT),
        nn.Conv2d(width, channels_out, 1),
    )


def _normalised(channels: int, width: int, kernel: int, stride: int = 1, dilation: int = 1) -> tuple:
    padding = dilation if kernel == 3 else 0
    return (
        nn.Conv2d(channels, width, kernel, stride, padding, dilation, bias=False),
        Norm2d(width, eps=EPS, momentum=MOMENTUM),
        nn.ReLU(inplace=True),
    )


def _average(x: Tensor, pool_px: int) -> Tensor:
    return nn.functional.avg_pool2d(x, [min(pool_px, length) for length in x.shape[2:]])
