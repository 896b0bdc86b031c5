"""The size of a network."""

from torch import nn


def count_parameters(network: nn.Module) -> int:
    """Return the number of parameters as Keras and the thesis count them.

    Weights and biases, and four numbers a channel of batch norm: scale, shift, running mean and running
    variance. Torch's own counters of batches are left out.
    """
    state = network.state_dict(keep_vars=True).values()
    return sum(value.numel() for value in state if value.is_floating_point())
