"""AlexNet with torchvision's parameter names: 61,100,840 parameters for 1000 classes.

Source: Krizhevsky, One Weird Trick for Parallelizing Convolutional Neural Networks, arXiv:1404.5997
(2014), section 5: the network of Krizhevsky, Sutskever and Hinton (2012), which the lecture shows, on one
GPU and without the normalisation of neighbouring channels.
"""

from torch import Tensor, nn

from medscale.networks.classifiers.base import Classifier, scale_channels
from medscale.networks.classifiers.pooling import BinnedMean

PUBLISHED_WIDTH = 64
# Maps that reach the linear layers, which images of 224 px leave as they are.
BINS = 6


class AlexNet(Classifier):
    """Five convolutions, the first two large, and three linear layers; see `Classifier`.

    Weights are drawn as torch draws them, as torchvision's network does.

    Parameters
    ----------
    dropout : float
        Share of the linear layers' inputs that training sets to 0.
    """

    smallest_px = 63
    heads = ("classifier.6",)

    def __init__(
        self, outputs: int = 1, channels_in: int = 3, width: int = PUBLISHED_WIDTH, dropout: float = 0.5
    ):
        super().__init__()
        first, second, third, fourth, hidden = (
            scale_channels(n, width, PUBLISHED_WIDTH) for n in (64, 192, 384, 256, 4096)
        )
        self.features = nn.Sequential(
            *(nn.Conv2d(channels_in, first, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, stride=2)),
            *(nn.Conv2d(first, second, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, stride=2)),
            *(nn.Conv2d(second, third, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(third, fourth, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(fourth, fourth, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, stride=2)),
        )
        self.avgpool = BinnedMean(BINS)
        self.classifier = nn.Sequential(
            *(nn.Dropout(dropout), nn.Linear(fourth * BINS**2, hidden), nn.ReLU()),
            *(nn.Dropout(dropout), nn.Linear(hidden, hidden), nn.ReLU()),
            nn.Linear(hidden, outputs),
        )

    def classify(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))
