"""Bilinear resizing inside a network."""

import torch
from torch import Tensor, nn


def resize_bilinear(x: Tensor, size: tuple[int, int], align_corners: bool) -> Tensor:
    """Return `x` (N, channels, H, W) as (N, channels, *size).

    The same as torch's bilinear `interpolate`, as one matrix product along each axis: its gradient is a
    product as well, where `interpolate` scatters on a GPU, in an order that differs from run to run, or
    slowly if it may not.

    Parameters
    ----------
    align_corners : bool
        Whether the centres of the corner pixels stay where they are, or their outer edges.
    """
    rows, columns = (
        _weights(given, wanted, align_corners, x) for given, wanted in zip(x.shape[2:], size, strict=True)
    )
    return rows.T @ (x @ columns)


def _weights(given: int, wanted: int, align_corners: bool, like: Tensor) -> Tensor:
    """Return the weight of each given position in each wanted one, (given, wanted)."""
    corners = torch.eye(given, dtype=torch.float64, device=like.device)[None]
    weights = nn.functional.interpolate(corners, wanted, mode="linear", align_corners=align_corners)[0]
    return weights.to(like.dtype)
