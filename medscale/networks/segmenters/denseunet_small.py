"""The thesis's small DenseUnet: 1,641,859 parameters as it was meant, 1,636,627 as it was built.

Source: Jégou et al., The One Hundred Layers Tiramisu, CVPR workshops 2017; the thesis, section 5.2.4, and
its code. There the last dense block takes what enters the block before it, so that this block, and the
stem that was to be joined after it, are connected to nothing; both networks are given here.
"""

import torch
from torch import Tensor, nn

from medscale.networks.segmenters.base import Segmenter, set_norm_momentum
from medscale.networks.segmenters.blocks import DenseBlock, Norm2d
from medscale.networks.segmenters.initialisation import glorot_uniform

LEVELS, LAYERS = 5, 4
# Of whole channels, as the thesis drops them.
DROPOUT = 0.05


class Up(nn.Module):
    """Twice the size, beside what skipped the levels below, reduced to a quarter, then a dense block.

    (N, 16 growth, H, W) and (N, 8 growth, 2H, 2W) to (N, 8 growth, 2H, 2W).
    """

    def __init__(self, growth: int):
        super().__init__()
        self.enlarge = nn.Sequential(_convolution(16 * growth, 8 * growth, 1), nn.Upsample(scale_factor=2))
        self.reduce = nn.Sequential(nn.Dropout2d(DROPOUT), _convolution(16 * growth, 4 * growth, 1))
        self.dense = _dense(4 * growth, growth)

    def forward(self, x: Tensor, skipped: Tensor) -> Tensor:
        return self.dense(self.reduce(torch.cat([self.enlarge(x), skipped], dim=1)))


class DenseUnetSmallAsBuilt(Segmenter):
    """U-Net of dense blocks, as the thesis trained it; see `Segmenter` for shapes and common parameters.

    Parameters
    ----------
    growth : int
        Channels that each layer of the first level adds; each level below adds twice as many.
    """

    unit = 1 << (LEVELS - 1)

    def __init__(
        self,
        channels_in: int = 1,
        channels_out: int = 3,
        growth: int = 4,
        norm_momentum: float | None = None,
    ):
        super().__init__()
        growths = [growth << level for level in range(LEVELS)]
        self.stem = nn.Sequential(
            nn.Conv2d(channels_in, 4 * growth, 3, padding=1), Norm2d(4 * growth), nn.ReLU(inplace=True)
        )
        # Four layers double the channels: they meet four times their growth and add as much.
        self.down = nn.ModuleList(_dense(4 * wide, wide) for wide in growths)
        self.halve = nn.Sequential(nn.MaxPool2d(2), nn.Dropout2d(DROPOUT))
        self.drop = nn.Dropout2d(DROPOUT)
        self.up = nn.ModuleList(Up(wide) for wide in reversed(growths[:-1]))
        self.last = self._end(growth, channels_out)
        self.apply(glorot_uniform)
        set_norm_momentum(self, norm_momentum)

    def segment(self, x: Tensor) -> Tensor:
        stem = self.stem(x)
        levels = [self.down[0](stem)]
        for dense in self.down[1:]:
            levels.append(dense(self.halve(levels[-1])))
        x = self.drop(levels.pop())
        for up in self.up:
            x = up(x, levels.pop())
        return self.finish(x, stem)

    def _end(self, growth: int, channels_out: int) -> nn.Module:
        return nn.Conv2d(8 * growth, channels_out, 1)

    def finish(self, x: Tensor, stem: Tensor) -> Tensor:
        """Return logits of the last level's features; the stem goes unused."""
        return self.last(x)


class DenseUnetSmall(DenseUnetSmallAsBuilt):
    """U-Net of dense blocks whose last one sees the stem, as the thesis meant it."""

    def _end(self, growth: int, channels_out: int) -> nn.Module:
        return nn.ModuleDict(
            {
                "reduce": _convolution(8 * growth, 2 * growth, 1),
                "dense": _dense(6 * growth, growth),
                "logits": nn.Conv2d(10 * growth, channels_out, 1),
            }
        )

    def finish(self, x: Tensor, stem: Tensor) -> Tensor:
        """Return logits of the last level's features, reduced and joined with the stem."""
        joined = torch.cat([self.last["reduce"](x), stem], dim=1)
        return self.last["logits"](self.last["dense"](joined))


def _dense(channels: int, growth: int) -> DenseBlock:
    return DenseBlock(_convolution, channels, growth, LAYERS)


def _convolution(channels: int, width: int, kernel: int = 3) -> nn.Sequential:
    convolution = nn.Conv2d(channels, width, kernel, padding=kernel // 2)
    return nn.Sequential(Norm2d(channels), nn.ReLU(inplace=True), convolution)
