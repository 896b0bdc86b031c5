"""The U-Net for restoring images.

Source: Ronneberger et al., U-Net: Convolutional Networks for Biomedical Image Segmentation, MICCAI 2015,
with the changes of the thesis (section 3.2.2): padding keeps the size, batch norm follows each
convolution, and a sigmoid may end the network.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from medscale.errors import InputError

OUTPUTS = {"sigmoid": nn.Sigmoid, "none": nn.Identity}


class DoubleConvolution(nn.Sequential):
    """Twice a 3x3 convolution, batch norm and ReLU; (N, channels, H, W) to (N, width, H, W)."""

    def __init__(self, channels: int, width: int):
        super().__init__(*_convolution(channels, width), *_convolution(width, width))


class Down(nn.Sequential):
    """Half the size, then a double convolution; (N, channels, H, W) to (N, width, H/2, W/2)."""

    def __init__(self, channels: int, width: int):
        super().__init__(nn.MaxPool2d(2), DoubleConvolution(channels, width))


class Up(nn.Module):
    """Twice the size, beside what skipped the levels below, then a double convolution.

    (N, channels, H, W) and (N, width, 2H, 2W) to (N, width, 2H, 2W).
    """

    def __init__(self, channels: int, width: int):
        super().__init__()
        self.enlarge = nn.ConvTranspose2d(channels, width, kernel_size=2, stride=2)
        self.convolutions = DoubleConvolution(2 * width, width)

    def forward(self, x: Tensor, skipped: Tensor) -> Tensor:
        return self.convolutions(torch.cat([skipped, self.enlarge(x)], dim=1))


class UNet(nn.Module):
    """U-Net for images (N, channels_in, H, W) with results (N, channels_out, H, W).

    Sizes that cannot be halved `depth` times are padded at the lower and right edge by reflection, and
    the result is cropped to the image.

    Parameters
    ----------
    width : int
        Channels of the first level; 64 in the publication. Each level below has twice as many.
    depth : int
        How often the image is halved.
    output : {"sigmoid", "none"}
    activation_checkpointing : bool
        Keep only what enters each level and compute the rest again for the gradients: less memory, more
        time, the same result.
    """

    def __init__(
        self,
        channels_in: int = 1,
        channels_out: int = 1,
        width: int = 64,
        depth: int = 4,
        output: str = "sigmoid",
        activation_checkpointing: bool = False,
    ):
        super().__init__()
        if output not in OUTPUTS:
            raise InputError("network.output", repr(output), f"one of {', '.join(OUTPUTS)}", "Correct it.")
        widths = [width << level for level in range(depth + 1)]
        pairs = list(pairwise(widths))
        self.activation_checkpointing = activation_checkpointing
        self.first = DoubleConvolution(channels_in, width)
        self.down = nn.ModuleList(Down(upper, lower) for upper, lower in pairs)
        self.up = nn.ModuleList(Up(lower, upper) for upper, lower in reversed(pairs))
        self.last = nn.Conv2d(width, channels_out, 1)
        self.output = OUTPUTS[output]()
        self.apply(_initialise)

    def forward(self, x: Tensor) -> Tensor:
        rows, columns = x.shape[-2:]
        x = self._run(self.first, self._pad(x))
        skipped = []
        for down in self.down:
            skipped.append(x)
            x = self._run(down, x)
        for up in self.up:
            x = self._run(up, x, skipped.pop())
        return self.output(self.last(x))[..., :rows, :columns]

    def _pad(self, x: Tensor) -> Tensor:
        unit = 1 << len(self.up)
        rows, columns = -x.shape[-2] % unit, -x.shape[-1] % unit
        return nn.functional.pad(x, (0, columns, 0, rows), mode="reflect") if rows or columns else x

    def _run(self, level: nn.Module, *inputs: Tensor) -> Tensor:
        if not (self.activation_checkpointing and torch.is_grad_enabled()):
            return level(*inputs)
        contexts = partial(_contexts, level)
        return checkpoint(level, *inputs, use_reentrant=False, preserve_rng_state=False, context_fn=contexts)


def _convolution(channels: int, width: int) -> tuple[nn.Module, ...]:
    # Batch norm takes the place of a bias.
    return nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")


def _contexts(level: nn.Module) -> tuple[AbstractContextManager, AbstractContextManager]:
    """Return what surrounds the first computation of a level, and the second."""
    return nullcontext(), _keep_statistics(level)


@contextmanager
def _keep_statistics(level: nn.Module) -> Iterator[None]:
    """Compute again what was computed before, without counting it twice in the running statistics."""
    norms = [module for module in level.modules() if isinstance(module, nn.BatchNorm2d)]
    kept = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum, norm.num_batches_tracked = 0.0, None
    try:
        yield
    finally:
        for norm, (momentum, count) in zip(norms, kept, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, count
