import pytest
import torch
from torch import nn

from medscale.networks.registry import build_network
from medscale.networks.segmenters.initialisation import glorot_uniform, he_normal


def test_he_keeps_the_scale_after_a_relu_and_glorot_between_both_directions():
    torch.manual_seed(0)
    he = nn.Conv2d(32, 64, 3).apply(he_normal)
    glorot = nn.Conv2d(32, 64, 3).apply(glorot_uniform)
    assert he.weight.std().item() == pytest.approx((2 / (9 * 32)) ** 0.5, rel=0.03)
    assert glorot.weight.std().item() == pytest.approx((2 / (9 * 96)) ** 0.5, rel=0.03)
    assert glorot.weight.abs().max().item() <= (6 / (9 * 96)) ** 0.5
    assert not he.bias.any()
    assert not glorot.bias.any()


@pytest.mark.parametrize(
    ("name", "layer", "variance"),
    [
        ("unet2d", "bottom.1.0", 2 / (9 * 256)),
        ("unet3d", "up.1.convolutions.0", 2 / (27 * (192 + 96))),
        ("pspnet_small", "encoder.2.1", 2 / (4 * 64)),
        ("pspnet_small", "head.1", 2 / (4 * (1280 + 256))),
        ("denseunet_small", "down.3.layers.2.2", 2 / (9 * (192 + 32))),
        ("deeplabv3plus", "pyramid.branches.0.0", 2 / (320 + 256)),
    ],
)
def test_the_published_networks_are_drawn_as_their_code_draws_them(name, layer, variance):
    weight = build_network(name, 0).get_submodule(layer).weight
    assert weight.var().item() == pytest.approx(variance, rel=0.05)
