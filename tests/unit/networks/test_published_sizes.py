import pytest
import torch

from medscale.networks.published_sizes import PUBLISHED_PARAMETERS
from medscale.networks.registry import build_network

OTHERS = {
    "lenet5": {"outputs": 10},
    "strided_cnn": {"outputs": 3, "channels_in": 1, "size_px": 512},
}


@pytest.mark.parametrize(("name", "count"), PUBLISHED_PARAMETERS.items())
def test_the_network_as_published_has_the_published_number_of_parameters(name, count):
    with torch.device("meta"):
        network = build_network(name, 0, **OTHERS.get(name, {"outputs": 1000}))
    assert sum(weight.numel() for weight in network.parameters()) == count
