"""Averages over a fixed number of bins, whatever the size of the image."""

import torch
from torch import Tensor, nn


class BinnedMean(nn.Module):
    """Mean over `bins` x `bins` bins; (N, C, H, W) to (N, C, bins, bins).

    The same as torch's `AdaptiveAvgPool2d`, as one matrix product along each axis: its gradient is a
    product as well, where torch's own adds up on a GPU in an order that differs from run to run, and is
    refused by `torch.use_deterministic_algorithms`. Maps smaller than the bins are repeated.
    """

    def __init__(self, bins: int):
        super().__init__()
        self.bins = bins

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[2:] == (self.bins, self.bins):
            return x
        rows, columns = (_shares(size, self.bins, x) for size in x.shape[2:])
        return rows.T @ (x @ columns)

    def extra_repr(self) -> str:
        return f"bins={self.bins}"


def _shares(size: int, bins: int, like: Tensor) -> Tensor:
    """Return the share of each position in each bin's mean, (size, bins)."""
    position = torch.arange(size, device=like.device)[:, None]
    number = torch.arange(bins, device=like.device)
    # A bin begins on the pixel its left edge cuts and ends on the one its right edge cuts, so that
    # neighbours may share a pixel.
    inside = (position >= number * size // bins) & (position < -(-(number + 1) * size // bins))
    return inside.to(like.dtype) / inside.sum(0)
