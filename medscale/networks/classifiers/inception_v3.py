"""Inception v3 with torchvision's parameter names: 27,161,264 parameters for 1000 classes, with all heads.

Source: Szegedy et al., Rethinking the Inception Architecture for Computer Vision, CVPR 2016, Table 1 and
figures 5 to 7, 8 (the auxiliary head) and 10. Without that head it has 23,834,568 parameters.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from medscale.networks.classifiers.auxiliary import Outputs
from medscale.networks.classifiers.base import Classifier, scale_channels
from medscale.networks.classifiers.inception_layers import (
    ActivatedConvolution,
    check_rescaling,
    draw_truncated,
    rescale,
)

PUBLISHED_WIDTH = 32
AUXILIARY_WEIGHT = 0.4
# The auxiliary head's 5x5 convolution needs maps of 17 px.
SMALLEST_PX, SMALLEST_PX_OF_AUXILIARY = 75, 299
# Width of the kernels between 1x1 on the level of 17 px (torchvision; the paper does not name them).
NARROW = {"Mixed_6b": 128, "Mixed_6c": 160, "Mixed_6d": 160, "Mixed_6e": 192}


class Layer(NamedTuple):
    """A convolution of a branch, by its published width."""

    width: int
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1


# A branch's steps: a convolution, two of them side by side, or a pooling that has no weights.
Step = Layer | tuple[Layer, Layer] | nn.Module
Branches = dict[str, tuple[Step, ...]]
THREE, FIVE = (3, 3), (5, 5)
ROW, COLUMN = (1, 7), (7, 1)
ENDS = (Layer(384, (1, 3)), Layer(384, (3, 1)))


class Mixed(nn.Module):
    """Branches side by side, joined; (N, C, H, W) to (N, sum of their widths, H', W').

    Parameters
    ----------
    scale : callable
        Published number of channels to that of this network.
    """

    def __init__(self, channels: int, branches: Branches, scale: Callable[[int], int]):
        super().__init__()
        self._steps: list[list[list[str]]] = []
        self.channels_out = 0
        for name, steps in branches.items():
            self._steps.append([])
            self.channels_out += self._add_branch(channels, name, steps, scale)

    def _add_branch(self, channels: int, name: str, steps: tuple[Step, ...], scale: Callable) -> int:
        """Add a branch's layers under torchvision's names; return its channels."""
        several = sum(not isinstance(step, nn.Module) for step in steps) > 1
        for number, step in enumerate(steps, start=1):
            if isinstance(step, nn.Module):
                self.add_module(f"{name}_window", step)
                self._steps[-1].append([f"{name}_window"])
                continue
            layers = {"": step} if isinstance(step, Layer) else dict(zip("ab", step, strict=True))
            names = [f"{name}_{number}{end}" if several else name for end in layers]
            for layer_name, layer in zip(names, layers.values(), strict=True):
                module = ActivatedConvolution(channels, scale(layer.width), layer.kernel, layer.stride)
                self.add_module(layer_name, module)
            self._steps[-1].append(names)
            channels = sum(scale(layer.width) for layer in layers.values())
        return channels

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self._follow(x, branch) for branch in self._steps], dim=1)

    def _follow(self, x: Tensor, branch: list[list[str]]) -> Tensor:
        for names in branch:
            made = [self.get_submodule(name)(x) for name in names]
            x = made[0] if len(made) == 1 else torch.cat(made, dim=1)
        return x


class AuxiliaryHead(nn.Module):
    """Means over 5 x 5 px, two convolutions and a linear layer; (N, C, H, W) to (N, outputs)."""

    def __init__(self, channels: int, outputs: int, scale: Callable[[int], int]):
        super().__init__()
        self.pool = nn.AvgPool2d(5, stride=3)
        self.conv0 = ActivatedConvolution(channels, scale(128))
        self.conv1 = ActivatedConvolution(scale(128), scale(768), FIVE, padding=(0, 0))
        self.mean = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(scale(768), outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.mean(self.conv1(self.conv0(self.pool(x)))).flatten(1))


class InceptionV3(Classifier):
    """Inception modules on levels of 35, 17 and 8 px for images of 299 px; see `Classifier`.

    In training mode with the auxiliary head it returns `Outputs` with the one on the level of 17 px and the
    weight 0.4, and needs images of 299 px; in eval mode the head is not computed, and 75 px are enough.

    Parameters
    ----------
    auxiliary : bool
        Whether to build the auxiliary head.
    rescale_input : bool
        Whether images come standardised with ImageNet's mean and spread and are brought to [-1, 1] here:
        torchvision's published weights expect that.
    dropout : float
        Share of the last layer's inputs that training sets to 0.
    """

    heads = ("fc", "AuxLogits.fc")
    auxiliary_heads = ("AuxLogits",)
    mend = f"Give larger images; training without network.auxiliary needs {SMALLEST_PX} px."

    def __init__(
        self,
        outputs: int = 1,
        channels_in: int = 3,
        width: int = PUBLISHED_WIDTH,
        auxiliary: bool = True,
        rescale_input: bool = False,
        dropout: float = 0.5,
    ):
        super().__init__()
        check_rescaling(rescale_input, channels_in)
        self.auxiliary, self.rescale_input = auxiliary, rescale_input
        scale = partial(scale_channels, width=width, published_width=PUBLISHED_WIDTH)
        channels = self._add_stem(channels_in, scale)
        for name, branches in _modules().items():
            module = Mixed(channels, branches, scale)
            self.add_module(name, module)
            channels = module.channels_out
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(channels, outputs)
        if auxiliary:
            self.AuxLogits = AuxiliaryHead(self.Mixed_6e.channels_out, outputs, scale)
        self._initialise()

    @property
    def smallest_px(self) -> int:
        """Smallest edge of an image in the present mode."""
        return SMALLEST_PX_OF_AUXILIARY if self.training and self.auxiliary else SMALLEST_PX

    def _add_stem(self, channels_in: int, scale: Callable[[int], int]) -> int:
        """Add what comes before the modules (the first seven rows of Table 1); return its channels."""
        first, second, third, fourth = scale(32), scale(64), scale(80), scale(192)
        self.Conv2d_1a_3x3 = ActivatedConvolution(channels_in, first, THREE, stride=2)
        self.Conv2d_2a_3x3 = ActivatedConvolution(first, first, THREE, padding=(0, 0))
        self.Conv2d_2b_3x3 = ActivatedConvolution(first, second, THREE)
        self.Conv2d_3b_1x1 = ActivatedConvolution(second, third)
        self.Conv2d_4a_3x3 = ActivatedConvolution(third, fourth, THREE, padding=(0, 0))
        self.halve = nn.MaxPool2d(3, stride=2)
        return fourth

    def _initialise(self) -> None:
        """Draw as torchvision does, with a narrower spread in the last layers of the auxiliary head."""
        self.apply(lambda module: draw_truncated(module, 0.1))
        if self.auxiliary:
            draw_truncated(self.AuxLogits.conv1.conv, 0.01)
            draw_truncated(self.AuxLogits.fc, 0.001)

    def classify(self, x: Tensor) -> Tensor | Outputs:
        x = self.Conv2d_1a_3x3(rescale(x) if self.rescale_input else x)
        x = self.halve(self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(x)))
        x = self.halve(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)))
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x)))
        middle = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(middle)))
        logits = self.fc(self.dropout(self.avgpool(x).flatten(1)))
        if not (self.training and self.auxiliary):
            return logits
        return Outputs(logits, (self.AuxLogits(middle),), AUXILIARY_WEIGHT)


def _modules() -> dict[str, Branches]:
    """Return the modules by torchvision's names, lowest first."""
    level_35 = {f"Mixed_5{letter}": _level_35(n) for letter, n in zip("bcd", (32, 64, 64), strict=True)}
    level_17 = {name: _level_17(narrow) for name, narrow in NARROW.items()}
    level_8 = {"Mixed_7b": _level_8(), "Mixed_7c": _level_8()}
    return level_35 | {"Mixed_6a": _to_17()} | level_17 | {"Mixed_7a": _to_8()} | level_8


def _level_35(pooled: int) -> Branches:
    """Figure 5; as in torchvision, one branch keeps its 5x5 kernel."""
    return {
        "branch1x1": (Layer(64),),
        "branch5x5": (Layer(48), Layer(64, FIVE)),
        "branch3x3dbl": (Layer(64), Layer(96, THREE), Layer(96, THREE)),
        "branch_pool": (nn.AvgPool2d(3, stride=1, padding=1), Layer(pooled)),
    }


def _to_17() -> Branches:
    """Figure 10."""
    return {
        "branch3x3": (Layer(384, THREE, 2),),
        "branch3x3dbl": (Layer(64), Layer(96, THREE), Layer(96, THREE, 2)),
        "branch_pool": (nn.MaxPool2d(3, stride=2),),
    }


def _level_17(narrow: int) -> Branches:
    """Figure 6 with n = 7."""
    twice = (Layer(narrow, COLUMN), Layer(narrow, ROW), Layer(narrow, COLUMN), Layer(192, ROW))
    return {
        "branch1x1": (Layer(192),),
        "branch7x7": (Layer(narrow), Layer(narrow, ROW), Layer(192, COLUMN)),
        "branch7x7dbl": (Layer(narrow), *twice),
        "branch_pool": (nn.AvgPool2d(3, stride=1, padding=1), Layer(192)),
    }


def _to_8() -> Branches:
    """Figure 10, with one branch in two directions."""
    return {
        "branch3x3": (Layer(192), Layer(320, THREE, 2)),
        "branch7x7x3": (Layer(192), Layer(192, ROW), Layer(192, COLUMN), Layer(192, THREE, 2)),
        "branch_pool": (nn.MaxPool2d(3, stride=2),),
    }


def _level_8() -> Branches:
    """Figure 7."""
    return {
        "branch1x1": (Layer(320),),
        "branch3x3": (Layer(384), ENDS),
        "branch3x3dbl": (Layer(448), Layer(384, THREE), ENDS),
        "branch_pool": (nn.AvgPool2d(3, stride=1, padding=1), Layer(192)),
    }
