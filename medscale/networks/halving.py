"""Halving volumes by their maxima, on a GPU too where every operation must be repeatable."""

import torch
from torch import Tensor, nn


class HalvingMax3d(nn.Module):
    """Maximum of every 2x2x2 voxels; (N, C, i, j, k) to (N, C, i/2, j/2, k/2), rounded down.

    `MaxPool3d` has no repeatable gradient on a GPU, and `torch.use_deterministic_algorithms` refuses it
    there; the maximum is then taken in two steps that have one.
    """

    def forward(self, x: Tensor) -> Tensor:
        return halve_in_steps(x) if x.is_cuda else nn.functional.max_pool3d(x, 2)


def halve_in_steps(x: Tensor) -> Tensor:
    """Return the maximum of every 2x2x2 voxels: first within slices, then of neighbouring slices."""
    count, channels, slices, rows, columns = x.shape
    planes = nn.functional.max_pool2d(x.reshape(count, channels * slices, rows, columns), 2)
    planes = planes.reshape(count, channels, slices, rows // 2, columns // 2)
    even = planes[:, :, : slices // 2 * 2]
    return torch.maximum(even[:, :, ::2], even[:, :, 1::2])
