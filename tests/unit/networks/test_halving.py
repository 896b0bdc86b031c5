"""The maximum of 2 x 2 x 2 voxels, in one step and in two."""

import pytest
import torch
from torch import nn

from medscale.networks.halving import HalvingMax3d, halve_in_steps


@pytest.mark.parametrize("shape", [(4, 6, 8), (5, 7, 3), (2, 2, 2)])
def test_both_ways_give_the_maxima_and_the_gradients_of_max_pool3d(shape):
    inputs = [torch.randn(2, 3, *shape, generator=torch.Generator().manual_seed(1)) for _ in range(3)]
    ways = [nn.MaxPool3d(2), HalvingMax3d(), halve_in_steps]
    weights = torch.randn(2, 3, *(edge // 2 for edge in shape), generator=torch.Generator().manual_seed(2))
    for x, way in zip(inputs, ways, strict=True):
        (way(x.requires_grad_()) * weights).sum().backward()
    with torch.no_grad():
        assert all(torch.equal(way(inputs[0]), ways[0](inputs[0])) for way in ways)
    assert all(torch.equal(x.grad, inputs[0].grad) for x in inputs)
