import pytest
import torch
from torch import nn
from torch.nn import functional

from medscale.networks.registry import build_network


def _blocks(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def _by_the_table(network, x):
    """Compute the thesis's layers one after the other, with the network's weights."""

    def norm(x, layer):
        return functional.batch_norm(x, None, None, layer.weight, layer.bias, training=True, eps=1e-3)

    def convolve(x, layer):
        return functional.conv3d(x, layer.weight, layer.bias, padding=1).relu()

    def level(x, weights):
        first, norm_between, second = (weights.convolutions[place] for place in (0, 2, 3))
        x = norm(x, weights.norm)
        return x, convolve(norm(convolve(x, first), norm_between), second)

    skipped = []
    for weights in network.down:
        given, features = level(x, weights)
        features = norm(features, weights.convolutions[5])
        skipped.append(features)
        x = functional.max_pool3d(torch.cat([given, features], dim=1), 2)
    x = torch.cat(level(x, network.bottom), dim=1)
    for place in reversed(range(len(skipped))):
        enlarged = functional.conv_transpose3d(
            x, network.enlarge[place].weight, network.enlarge[place].bias, stride=2
        )
        x = torch.cat(level(torch.cat([enlarged, skipped[place]], dim=1), network.up[place]), dim=1)
    return functional.conv3d(x, network.last.weight, network.last.bias)


@pytest.mark.parametrize("depth", [2, 3])
def test_the_layers_are_those_of_the_table(depth):
    network = build_network("unet3d", 0, width=2, depth=depth)
    blocks = _blocks(1, 1, 8, 16, 24)
    torch.testing.assert_close(network(blocks), _by_the_table(network, blocks))


def test_the_channels_grow_as_published():
    with torch.device("meta"):
        network = build_network("unet3d", 0, channels_in=3)
    assert [level.norm.num_features for level in network.down] == [3, 51, 147]
    assert network.bottom.norm.num_features == 339
    assert [layer.in_channels for layer in network.enlarge] == [288, 576, 723]
    assert network.last.in_channels == 144
    assert not isinstance(network.up[0].convolutions[-1], nn.BatchNorm3d)


def test_slices_see_their_neighbours():
    network = build_network("unet3d", 0, width=2).eval()
    block = _blocks(1, 1, 8, 16, 16)
    changed = block.clone()
    changed[:, :, 3] += 0.5
    with torch.no_grad():
        difference = (network(changed) - network(block)).abs().amax(dim=(0, 1, 3, 4))
    assert (difference > 0).all()
