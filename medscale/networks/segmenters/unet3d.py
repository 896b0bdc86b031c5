"""The thesis's Unet3D: three halvings of a block, 15,296,451 parameters.

Source: the thesis, section 5.2.2, and its code. It is no copy of Unet2D in three dimensions: each level
passes on its own input beside its features, and batch norm comes before each convolution.
"""

import torch
from torch import Tensor, nn

from medscale.networks.halving import HalvingMax3d
from medscale.networks.segmenters.base import Segmenter, set_norm_momentum
from medscale.networks.segmenters.blocks import Norm3d
from medscale.networks.segmenters.initialisation import glorot_uniform


class Level(nn.Module):
    """Two 3x3x3 convolutions, and what came in beside what they make.

    (N, channels, S, H, W) to features (N, width, S, H, W) and all (N, channels + width, S, H, W).
    """

    def __init__(self, channels: int, width: int, norm_last: bool = False):
        super().__init__()
        self.norm = Norm3d(channels)
        self.convolutions = nn.Sequential(
            *(nn.Conv3d(channels, width, 3, padding=1), nn.ReLU(inplace=True), Norm3d(width)),
            *(nn.Conv3d(width, width, 3, padding=1), nn.ReLU(inplace=True)),
            *([Norm3d(width)] if norm_last else []),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.norm(x)
        features = self.convolutions(x)
        return features, torch.cat([x, features], dim=1)


class Unet3D(Segmenter):
    """U-Net for blocks of slices; see `Segmenter` for shapes and common parameters.

    Parameters
    ----------
    depth : int
        How often the block is halved, along slices as well.
    """

    dimensions = 3

    def __init__(
        self,
        channels_in: int = 1,
        channels_out: int = 3,
        width: int = 48,
        depth: int = 3,
        norm_momentum: float | None = None,
    ):
        super().__init__()
        self.unit = 1 << depth
        widths = [width << level for level in range(depth)]
        # Every level hands down all that it was given and the features it added.
        given = [channels_in + sum(widths[:level]) for level in range(depth + 1)]
        lowest = width << depth
        below = [3 * wide for wide in widths[1:]] + [given[-1] + lowest]
        self.halve = HalvingMax3d()
        self.down = nn.ModuleList(Level(*pair, norm_last=True) for pair in zip(given, widths, strict=False))
        self.bottom = Level(given[-1], lowest)
        self.enlarge = nn.ModuleList(
            nn.ConvTranspose3d(*pair, kernel_size=2, stride=2) for pair in zip(below, widths, strict=True)
        )
        self.up = nn.ModuleList(Level(2 * wide, wide) for wide in widths)
        self.last = nn.Conv3d(3 * width, channels_out, 1)
        self.apply(glorot_uniform)
        set_norm_momentum(self, norm_momentum)

    def segment(self, x: Tensor) -> Tensor:
        skipped = []
        for level in self.down:
            features, x = level(x)
            skipped.append(features)
            x = self.halve(x)
        _, x = self.bottom(x)
        for enlarge, level, features in zip(
            reversed(self.enlarge), reversed(self.up), reversed(skipped), strict=True
        ):
            _, x = level(torch.cat([enlarge(x), features], dim=1))
        return self.last(x)
