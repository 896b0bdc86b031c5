"""A 3D network for volumes, with scores such as age joined after the features.

Source: the lecture on networks for medical image classification: a 3D CNN is much like a 2D one, several
images of a person, such as T1 and T2, are its channels, and demographic scores join its features.
"""

from torch import Tensor, cat, nn

from medscale.errors import InputError
from medscale.networks.halving import HalvingMax3d

INPUTS = ("image", "scores", "both")


class VolumeCNN(nn.Module):
    """Volumes (N, channels_in, i, j, k) and scores (N, scores) to logits (N, outputs).

    Each block is a 3x3x3 convolution, batch norm, ReLU, and the maximum of 2x2x2 voxels; features are the
    means over what the last one leaves. Scores join them, and two linear layers follow. None of the
    operations is on the list of those that `torch.use_deterministic_algorithms` refuses on a GPU.

    Parameters
    ----------
    outputs : int
        Number of classes.
    scores : int
        Numbers that describe a person; may be 0 where only the image is used.
    inputs : {"both", "image", "scores"}
        What the logits follow from; parts for the rest are not built, and what is given for them is ignored.
    width : int
        Channels of the first block; each one after it has twice as many.
    depth : int
        Number of blocks.
    hidden : int
        Outputs of the first linear layer.
    dropout : float
        Share of the last layer's inputs that training sets to 0.

    Attributes
    ----------
    smallest : int
        Smallest edge of a volume, in voxels, that leaves at least one after every block.
    heads : tuple of str
        The layer whose size follows from `outputs`.

    Raises
    ------
    InputError
        If there is no such kind of inputs, or scores are to be used and there are none.
    """

    heads = ("head.3",)

    def __init__(
        self,
        outputs: int = 2,
        channels_in: int = 1,
        scores: int = 0,
        inputs: str = "both",
        width: int = 16,
        depth: int = 4,
        hidden: int = 32,
        dropout: float = 0.0,
    ):
        super().__init__()
        _check_inputs(inputs, scores)
        self.inputs, self.channels_in, self.scores = inputs, channels_in, scores
        self.uses_image, self.uses_scores = inputs != "scores", inputs != "image"
        self.smallest, features = 1, 0
        if self.uses_image:
            widths = [width << level for level in range(depth)]
            pairs = zip([channels_in, *widths], widths, strict=False)
            self.blocks = nn.Sequential(*(_block(*pair) for pair in pairs))
            self.smallest, features = 1 << depth, widths[-1]
        joined = features + (scores if self.uses_scores else 0)
        self.head = nn.Sequential(
            nn.Linear(joined, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, outputs)
        )
        self.apply(_initialise)

    def forward(self, images: Tensor, scores: Tensor) -> Tensor:
        parts = []
        if self.uses_image:
            self._check_images(images)
            parts.append(self.blocks(images).mean(dim=(2, 3, 4)))
        if self.uses_scores:
            self._check_scores(scores)
            parts.append(scores)
        return self.head(cat(parts, dim=1))

    def _check_images(self, images: Tensor) -> None:
        wanted = f"(n, {self.channels_in}, i, j, k) with edges of at least {self.smallest} voxels"
        fits = images.ndim == 5 and images.shape[1] == self.channels_in
        if not fits or min(images.shape[2:]) < self.smallest:
            found = f"a network for volumes, given a batch of shape {tuple(images.shape)}"
            raise InputError(
                "network.name", found, wanted, "Choose another network or depth, or give larger volumes."
            )

    def _check_scores(self, scores: Tensor) -> None:
        if scores.ndim != 2 or scores.shape[1] != self.scores:
            raise InputError(
                "network.scores",
                f"{self.scores}, given scores of shape {tuple(scores.shape)}",
                f"(n, {self.scores})",
                "Set network.scores to the number of scores.",
            )


def _check_inputs(inputs: str, scores: int) -> None:
    if inputs not in INPUTS:
        raise InputError("network.inputs", repr(inputs), f"one of {', '.join(INPUTS)}", "Correct it.")
    if inputs != "image" and scores < 1:
        raise InputError(
            "network.scores", str(scores), f"at least 1 for inputs {inputs}", "Give scores, or use the image."
        )


def _block(channels: int, width: int) -> nn.Sequential:
    # Batch norm takes the place of a bias.
    convolution = nn.Conv3d(channels, width, 3, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm3d(width), nn.ReLU(inplace=True), HalvingMax3d())


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv3d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
