"""The thesis's big DenseUnet: 43,024,099 parameters.

Source: Huang et al., Densely Connected Convolutional Networks, CVPR 2017, Table 1 (DenseNet-121); Li et
al., H-DenseUNet, IEEE TMI 2018, for the decoder that adds; the thesis, section 5.2.4, and its code, where
each layer adds 48 channels and the transitions drop none. The thesis prints PSPNet's numbers of parameters
for its DenseUnets.
"""

from torch import Tensor, nn

from medscale.networks.segmenters.base import Segmenter, set_norm_momentum
from medscale.networks.segmenters.blocks import DenseBlock, Norm2d
from medscale.networks.segmenters.initialisation import he_normal

ENCODER_EPS = 1.1e-5
DROPOUT = 0.3


class Join(nn.Module):
    """Twice the size, added to what skipped the levels below, then a 3x3 convolution.

    (N, width, H, W) and (N, skipped, 2H, 2W) to (N, width_out, 2H, 2W).
    """

    def __init__(self, lateral: nn.Module, width: int, width_out: int):
        super().__init__()
        self.enlarge = nn.Upsample(scale_factor=2)
        self.lateral = lateral
        self.convolution = _normalised(width, width_out, 3)

    def forward(self, x: Tensor, skipped: Tensor) -> Tensor:
        return self.convolution(self.enlarge(x) + self.lateral(skipped))


class DenseUnetBig(Segmenter):
    """A DenseNet-121 as encoder of a U-Net; see `Segmenter` for shapes and common parameters.

    Parameters
    ----------
    growth : int
        Channels that each layer of a dense block adds.
    blocks : tuple of 4 int
        Number of layers in each dense block.
    """

    unit = 32

    def __init__(
        self,
        channels_in: int = 1,
        channels_out: int = 3,
        growth: int = 48,
        blocks: tuple[int, int, int, int] = (6, 12, 24, 16),
        norm_momentum: float | None = None,
    ):
        super().__init__()
        stem, bottom, *decoder = (_scale(width, growth) for width in (64, 1024, 768, 384, 192, 96))
        widths = [stem]
        for count in blocks:
            widths.append(widths[-1] + count * growth)
        self.stem = nn.Sequential(
            nn.Conv2d(channels_in, stem, 7, stride=2, padding=3, bias=False), *_activation(stem)
        )
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.dense = nn.ModuleList(
            DenseBlock(_layer, width, growth, count) for width, count in zip(widths, blocks, strict=False)
        )
        self.transitions = nn.ModuleList(_transition(width) for width in widths[1:-1])
        self.encoded = nn.Sequential(*_activation(widths[-1]))
        # A 1x1 convolution is the same before pixels are repeated as after, at a quarter of the cost.
        self.bottom = _normalised(widths[-1], bottom, 1)
        self.up = nn.ModuleList(_decoder(widths[:-1], [bottom, *decoder]))
        self.last = nn.Sequential(
            nn.Upsample(scale_factor=2),
            _normalised(decoder[-1], stem, 3, nn.Dropout(DROPOUT)),
            nn.Conv2d(stem, channels_out, 1),
        )
        self.apply(he_normal)
        set_norm_momentum(self, norm_momentum)

    def segment(self, x: Tensor) -> Tensor:
        levels = [self.stem(x)]
        x = self.pool(levels[0])
        for dense, transition in zip(self.dense, self.transitions, strict=False):
            levels.append(dense(x))
            x = transition(levels[-1])
        x = self.bottom(self.encoded(self.dense[-1](x)))
        for up in self.up:
            x = up(x, levels.pop())
        return self.last(x)


def _decoder(skipped: list[int], widths: list[int]) -> list[Join]:
    """Return what joins each skipped level, the lowest first; only its features go without batch norm."""
    laterals = [_normalised(level, width, 1) for level, width in zip(reversed(skipped), widths, strict=False)]
    laterals[0] = laterals[0][0]
    return [Join(*join) for join in zip(laterals, widths, widths[1:], strict=False)]


def _layer(channels: int, growth: int) -> nn.Sequential:
    return nn.Sequential(
        *(*_activation(channels), nn.Conv2d(channels, 4 * growth, 1, bias=False)),
        *(*_activation(4 * growth), nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)),
    )


def _transition(channels: int) -> nn.Sequential:
    convolution = nn.Conv2d(channels, channels, 1, bias=False)
    return nn.Sequential(*_activation(channels), convolution, nn.AvgPool2d(2))


def _activation(channels: int) -> tuple[nn.Module, nn.Module]:
    return Norm2d(channels, eps=ENCODER_EPS), nn.ReLU(inplace=True)


def _normalised(channels: int, width: int, kernel: int, *between: nn.Module) -> nn.Sequential:
    convolution = nn.Conv2d(channels, width, kernel, padding=kernel // 2)
    return nn.Sequential(convolution, *between, Norm2d(width), nn.ReLU(inplace=True))


def _scale(width: int, growth: int) -> int:
    """Return the width of a layer beside the dense blocks, published for a growth of 48."""
    return max(1, width * growth // 48)
