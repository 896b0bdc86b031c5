import pytest
import torch
from torch import nn

from medscale.networks.classifiers.pooling import BinnedMean


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (4, 4), (7, 9), (8, 13), (28, 3)])
@pytest.mark.parametrize("bins", [4, 7])
def test_means_and_gradients_are_those_of_torch(size, bins):
    x = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    weights = torch.rand(2, 3, bins, bins, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found, gradients = [], []
    for pooling in (BinnedMean(bins), nn.AdaptiveAvgPool2d(bins)):
        given = x.clone().requires_grad_()
        found.append(pooling(given))
        (found[-1] * weights).sum().backward()
        gradients.append(given.grad)
    torch.testing.assert_close(*found)
    torch.testing.assert_close(*gradients)
