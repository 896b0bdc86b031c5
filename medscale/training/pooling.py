"""Sums over all processes of a training."""

import torch
from torch import Tensor, distributed


def sum_over_processes(values: Tensor) -> Tensor:
    """Return the sum of what all processes give; gradients flow back to each. Alone, `values` itself.

    A loss of such sums is the loss of the whole batch in every process, and the mean of the processes'
    gradients, which DistributedDataParallel takes, its gradient, even where their parts differ in size.
    """
    alone = not distributed.is_available() or not distributed.is_initialized()
    return values if alone else _Sum.apply(values)


class _Sum(torch.autograd.Function):
    """All-reduce, whose gradient is the sum of the processes' gradients."""

    @staticmethod
    def forward(context, values: Tensor) -> Tensor:
        return _all_reduce(values)

    @staticmethod
    def backward(context, gradients: Tensor) -> Tensor:
        return _all_reduce(gradients)


def _all_reduce(values: Tensor) -> Tensor:
    total = values.detach().clone()
    distributed.all_reduce(total)
    return total
