import pytest
import torch
from torch import nn

from medscale.errors import InputError
from medscale.networks.classifiers.lenet import ScaledTanh
from medscale.networks.registry import build_network


def test_the_first_linear_layer_fits_the_size_of_the_images():
    network = build_network("lenet5", 0, size_px=64)
    assert network.fc1.in_features == 16 * 13 * 13
    assert network(torch.zeros(2, 1, 64, 64)).shape == (2, 1)
    with pytest.raises(InputError, match=r"64, given images of 32 x 32 px"):
        network(torch.zeros(2, 1, 32, 32))


def test_a_size_that_leaves_no_pixel_is_refused_and_the_next_one_is_not():
    with pytest.raises(InputError, match="at least 16"):
        build_network("lenet5", 0, size_px=15)
    assert build_network("lenet5", 0, size_px=16)(torch.zeros(1, 1, 16, 16)).shape == (1, 1)


def test_the_activation_leaves_one_where_it_is():
    x = torch.tensor([-1.0, 0.0, 1.0])
    torch.testing.assert_close(ScaledTanh()(x), x, atol=1e-4, rtol=0)


def test_weights_lie_within_the_papers_bounds():
    network = build_network("lenet5", 0)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            assert layer.weight.abs().max() <= 2.4 / layer.weight[0].numel()
            assert not layer.bias.any()
