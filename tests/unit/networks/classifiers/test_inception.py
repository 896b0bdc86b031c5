import pytest
import torch
from torch import nn

from medscale.errors import InputError
from medscale.networks.classifiers.inception_layers import ActivatedConvolution, rescale
from medscale.networks.classifiers.inception_v3 import Layer, Mixed
from medscale.networks.imagenet import normalise
from medscale.networks.registry import build_network

NAMES = ["googlenet", "inception_v3"]


def test_the_auxiliary_head_of_inception_v3_needs_299_px_in_training():
    network = build_network("inception_v3", 0, width=2)
    with pytest.raises(InputError, match=r"at least 299 px.*needs 75 px"):
        network(torch.zeros(2, 3, 298, 299))
    assert network.eval()(torch.zeros(2, 3, 75, 75)).shape == (2, 1)
    alone = build_network("inception_v3", 0, width=2, auxiliary=False)
    assert alone(torch.zeros(2, 3, 75, 75)).shape == (2, 1)


def test_rescaling_undoes_what_standardised_the_images():
    images = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(rescale(normalise(images)), 2 * images - 1)


@pytest.mark.parametrize("name", NAMES)
def test_rescaling_comes_before_all_else(name):
    plain, rescaling = (build_network(name, 0, width=2, rescale_input=flag).eval() for flag in (False, True))
    images = torch.rand(1, 3, 80, 80, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(rescaling(normalise(images)), plain(2 * images - 1))


@pytest.mark.parametrize("name", NAMES)
def test_grey_images_have_no_three_means_to_undo(name):
    with pytest.raises(InputError, match="3 channels"):
        build_network(name, 0, channels_in=1, rescale_input=True)


def test_branches_are_followed_in_order_and_joined_in_order():
    scale = {2: 2, 3: 3, 4: 4, 5: 5}.get
    module = Mixed(
        1,
        {
            "one": (Layer(2),),
            "split": (Layer(3), (Layer(4, (1, 3)), Layer(5, (3, 1)))),
            "pool": (nn.AvgPool2d(3, stride=1, padding=1), Layer(2)),
        },
        scale,
    ).eval()
    x = torch.rand(1, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    middle = module.split_1(x)
    pooled = nn.functional.avg_pool2d(x, 3, 1, 1)
    expected = [module.one(x), module.split_2a(middle), module.split_2b(middle), module.pool(pooled)]
    assert torch.equal(module(x), torch.cat(expected, dim=1))
    assert module.channels_out == 13


def test_the_norm_adds_a_thousandth_and_strides_take_nothing_from_beyond_the_edge():
    layer = ActivatedConvolution(1, 2, (3, 3), stride=2)
    assert layer.bn.eps == 1e-3
    assert layer(torch.zeros(2, 1, 7, 7)).shape == (2, 2, 3, 3)
    assert ActivatedConvolution(1, 2, (1, 7))(torch.zeros(2, 1, 7, 7)).shape == (2, 2, 7, 7)


def test_auxiliary_weights_start_close_to_zero():
    head = build_network("inception_v3", 0, width=8).AuxLogits
    assert head.fc.weight.std().item() == pytest.approx(0.001, rel=0.2)
    assert head.conv1.conv.weight.std().item() == pytest.approx(0.01, rel=0.05)
    assert head.conv0.conv.weight.std().item() == pytest.approx(0.1, rel=0.05)
