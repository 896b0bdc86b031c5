"""VGG-16 and VGG-19 with torchvision's parameter names: 138,357,544 and 143,667,240 for 1000 classes.

Source: Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR
2015, Table 1, columns D and E.
"""

from torch import Tensor, nn

from medscale.networks.classifiers.base import Classifier, scale_channels
from medscale.networks.classifiers.pooling import BinnedMean

PUBLISHED_WIDTH = 64
WIDTHS = (64, 128, 256, 512, 512)
HIDDEN_WIDTH = 4096
# Maps that reach the linear layers, which images of 224 px leave as they are.
BINS = 7


class VGG(Classifier):
    """Five levels of 3x3 convolutions and three linear layers; see `Classifier`.

    Parameters
    ----------
    convolutions : sequence of 5 int
        Number of convolutions on each level.
    dropout : float
        Share of the linear layers' inputs that training sets to 0.
    """

    smallest_px = 32
    heads = ("classifier.6",)

    def __init__(
        self,
        convolutions: tuple[int, int, int, int, int],
        outputs: int = 1,
        channels_in: int = 3,
        width: int = PUBLISHED_WIDTH,
        dropout: float = 0.5,
    ):
        super().__init__()
        widths = [scale_channels(n, width, PUBLISHED_WIDTH) for n in WIDTHS]
        hidden = scale_channels(HIDDEN_WIDTH, width, PUBLISHED_WIDTH)
        levels = zip([channels_in, *widths], widths, convolutions, strict=False)
        self.features = nn.Sequential(*(layer for level in levels for layer in _level(*level)))
        self.avgpool = BinnedMean(BINS)
        self.classifier = nn.Sequential(
            *(nn.Linear(widths[-1] * BINS**2, hidden), nn.ReLU(), nn.Dropout(dropout)),
            *(nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(dropout)),
            nn.Linear(hidden, outputs),
        )
        self.apply(_initialise)

    def classify(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def vgg16(**settings) -> VGG:
    return VGG((2, 2, 3, 3, 3), **settings)


def vgg19(**settings) -> VGG:
    return VGG((2, 2, 4, 4, 4), **settings)


def _level(channels: int, width: int, count: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for number in range(count):
        layers += [nn.Conv2d(width if number else channels, width, 3, padding=1), nn.ReLU()]
    return [*layers, nn.MaxPool2d(2)]


def _initialise(module: nn.Module) -> None:
    """Draw as torchvision does: convolutions by He, linear layers from N(0, 0.01^2), biases are 0."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(module.bias)
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0, 0.01)
        nn.init.zeros_(module.bias)
