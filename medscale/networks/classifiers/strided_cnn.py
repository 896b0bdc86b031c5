"""The report's classifier: 5,238,147 parameters for grey images of 512 px and three classes.

Source: the report on brain MR and breast ultrasound images, part 3 (1), whose layers have these names.
"""

from torch import Tensor, nn

from medscale.networks.classifiers.base import SquareClassifier, scale_channels

PUBLISHED_WIDTH = 64
LEVELS = 3


class StridedCNN(SquareClassifier):
    """Three 5x5 convolutions that each quarter the edge, and three linear layers; see `SquareClassifier`.

    Weights are drawn as torch draws them.
    """

    smallest_px = 43
    heads = ("fc_layers.4",)

    def __init__(
        self, outputs: int = 1, channels_in: int = 1, width: int = PUBLISHED_WIDTH, size_px: int = 512
    ):
        super().__init__(size_px)
        widths = [width << level for level in range(LEVELS)]
        third, fourth = (scale_channels(n, width, PUBLISHED_WIDTH) for n in (256, 64))
        pairs = zip([channels_in, *widths], widths, strict=False)
        self.cnn_layers = nn.Sequential(*(layer for pair in pairs for layer in _level(*pair)))
        self.fc_layers = nn.Sequential(
            *(nn.Linear(widths[-1] * _left_px(size_px) ** 2, third), nn.ReLU()),
            *(nn.Linear(third, fourth), nn.ReLU()),
            nn.Linear(fourth, outputs),
        )

    def classify(self, x: Tensor) -> Tensor:
        return self.fc_layers(self.cnn_layers(x).flatten(1))


def _level(channels: int, width: int) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(channels, width, 5, stride=2, padding=2)
    return convolution, nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)


def _left_px(size_px: int) -> int:
    """Return the edge of what the convolutions leave: their stride rounds up, the maxima round down."""
    for _ in range(LEVELS):
        size_px = (size_px + 1) // 2 // 2
    return size_px
