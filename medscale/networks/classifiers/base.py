"""What all classification networks have in common: what they take, what they return, and any width."""

from torch import Tensor, nn

from medscale.errors import InputError
from medscale.networks.classifiers.auxiliary import Outputs


class Classifier(nn.Module):
    """Network for images that returns one logit a class, with torchvision's parameter names.

    Takes (N, channels_in, rows, columns), float32; returns logits (N, outputs). A network with auxiliary
    heads returns `Outputs` while it trains, and the logits alone in eval mode. None of the operations is
    on the list of those that `torch.use_deterministic_algorithms` refuses on a GPU.

    Every network has these parameters; those of its own are described beside it.

    Parameters
    ----------
    outputs : int
        Number of classes, or 1: one logit stands for the probability of tumour (thesis, section 2.2.1).
        The published networks have 1000, LeNet-5 has 10.
    channels_in : int
        3 for colour as published, 1 for grey images.
    width : int
        Channels of the first level; the default is the published one, and all layers scale with it.

    Attributes
    ----------
    smallest_px : int
        Smallest edge of an image that leaves at least one pixel after every halving.
    heads : tuple of str
        The layers whose size follows from `outputs`.
    auxiliary_heads : tuple of str
        The parts that a network may be built without.
    mend : str
        What to do about images that are too small.
    """

    smallest_px = 1
    heads: tuple[str, ...] = ("fc",)
    auxiliary_heads: tuple[str, ...] = ()
    mend = "Give larger images, or choose a network that halves them less often."

    def forward(self, x: Tensor) -> Tensor | Outputs:
        self.check_size(x)
        return self.classify(x)

    def check_size(self, x: Tensor) -> None:
        """Refuse a batch of images that the network cannot take.

        Raises
        ------
        InputError
            If this is no batch of 2D images, or an edge is shorter than `smallest_px`.
        """
        if x.ndim != 4:
            raise InputError(
                "network.name",
                f"a network for 2D images, given a batch of shape {tuple(x.shape)}",
                "4 axes: batch, channels, rows and columns",
                "Choose a network for this kind of samples.",
            )
        if min(x.shape[2:]) < self.smallest_px:
            raise InputError(
                "network.name",
                f"{type(self).__name__}, given images of {x.shape[2]} x {x.shape[3]} px",
                f"edges of at least {self.smallest_px} px",
                self.mend,
            )

    def classify(self, x: Tensor) -> Tensor | Outputs:
        """Return what `forward` returns, for images that are large enough."""
        raise NotImplementedError


class SquareClassifier(Classifier):
    """Classifier without a mean over bins, so that its first linear layer fits one size of images alone.

    Parameters
    ----------
    size_px : int
        Edge of the images, all of which are square and of this size.

    Raises
    ------
    InputError
        If `size_px` leaves no pixel for the linear layers.
    """

    def __init__(self, size_px: int):
        super().__init__()
        if size_px < self.smallest_px:
            raise InputError(
                "network.size_px", str(size_px), f"at least {self.smallest_px}", "Give larger images."
            )
        self.size_px = size_px

    def check_size(self, x: Tensor) -> None:
        super().check_size(x)
        if x.shape[2:] != (self.size_px, self.size_px):
            raise InputError(
                "network.size_px",
                f"{self.size_px}, given images of {x.shape[2]} x {x.shape[3]} px",
                "square images of this size",
                "Set network.size_px to the size of the images.",
            )


def scale_channels(published: int, width: int, published_width: int) -> int:
    """Return a layer's channels where the first level has `width` in place of `published_width`."""
    return max(1, round(published * width / published_width))
