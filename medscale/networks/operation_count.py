"""How much a network computes."""

from contextlib import contextmanager
from math import prod

import torch
from torch import Tensor, nn
from torch.func import functional_call

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def count_operations(network: nn.Module, size: tuple[int, ...]) -> int:
    """Return the multiply-accumulate operations of one image's way through `network` in eval mode.

    Those of convolutions and linear layers, as papers and torchvision's documentation count them ("FLOPs"
    there): no biases, norms, activations or poolings. Nothing is computed and no memory is taken; the
    network stays as it is.

    Parameters
    ----------
    network : nn.Module
        On any device, torch's `meta` included.
    size : tuple of int
        Shape of one image, such as (channels, rows, columns), without the axis of the batch.
    """
    counts: list[int] = []

    def count(layer: nn.Module, given: tuple[Tensor], made: Tensor) -> None:
        counts.append(_layer_operations(layer, given[0], made))

    counted = [m for m in network.modules() if isinstance(m, (*CONVOLUTIONS, *TRANSPOSED, nn.Linear))]
    hooks = [layer.register_forward_hook(count) for layer in counted]
    # On the device `meta` tensors have shapes and no values, so layers run at no cost.
    shapes = {name: value.to("meta") for name, value in network.state_dict().items()}
    try:
        with _eval_mode(network), torch.no_grad():
            functional_call(network, shapes, torch.empty(1, *size, device="meta"))
    finally:
        for hook in hooks:
            hook.remove()
    return sum(counts)


def _layer_operations(layer: nn.Module, given: Tensor, made: Tensor) -> int:
    if isinstance(layer, nn.Linear):
        return made.numel() * layer.in_features
    if isinstance(layer, TRANSPOSED):
        return given.numel() * layer.out_channels // layer.groups * prod(layer.kernel_size)
    return made.numel() * layer.in_channels // layer.groups * prod(layer.kernel_size)


@contextmanager
def _eval_mode(network: nn.Module):
    """Put all modules into eval mode, and each back into its own mode afterwards."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
