import pytest
import torch
from torch import nn

from medscale.networks.operation_count import count_operations
from medscale.networks.registry import SEGMENTERS, build_network

# torchvision's documentation, "GFLOPS", in thousandths.
PUBLISHED = {
    "alexnet": 714,
    "vgg16": 15_470,
    "vgg19": 19_632,
    "googlenet": 1_498,
    "inception_v3": 5_713,
    "resnet18": 1_814,
    "resnet34": 3_664,
    "resnet50": 4_089,
    "resnet101": 7_801,
    "densenet121": 2_834,
}


def test_lenet_counted_by_hand():
    by_hand = 28 * 28 * 6 * 25 + 10 * 10 * 16 * 6 * 25 + 400 * 120 + 120 * 84 + 84 * 10
    assert count_operations(build_network("lenet5", 0, outputs=10), (1, 32, 32)) == by_hand == 416_520


@pytest.mark.parametrize(("name", "millions"), PUBLISHED.items())
def test_the_published_network_has_its_published_operations(name, millions):
    size = 299 if name == "inception_v3" else 224
    with torch.device("meta"):
        network = build_network(name, 0, outputs=1000)
    assert round(count_operations(network, (3, size, size)) / 1e6) == millions


@pytest.mark.parametrize(
    ("layer", "size", "operations"),
    [
        (nn.Conv2d(4, 8, (3, 1), stride=2, groups=2), (4, 9, 9), 4 * 5 * 8 * 2 * 3),
        (nn.Conv3d(2, 3, 2), (2, 4, 5, 6), 3 * 4 * 5 * 3 * 2 * 8),
        (nn.ConvTranspose2d(4, 6, 2, stride=2, groups=2), (4, 5, 5), 5 * 5 * 4 * 3 * 4),
        (nn.Linear(5, 7), (3, 5), 3 * 5 * 7),
        (nn.BatchNorm2d(4), (4, 9, 9), 0),
    ],
)
def test_a_layer_counted_by_hand(layer, size, operations):
    assert count_operations(layer, size) == operations


def test_the_network_stays_as_it_is():
    network = build_network("resnet10", 0, width=4)
    network.layer1.eval()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    count_operations(network, (3, 32, 32))
    assert network.training
    assert not network.layer1.training
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize("name", SEGMENTERS)
def test_segmenters_are_counted_too(name):
    size = (16,) * SEGMENTERS[name].dimensions
    with torch.device("meta"):
        network = build_network(name, 0)
    assert count_operations(network, (1, *size)) > 0
