import re

import pytest
import torch

from medscale.errors import InputError
from medscale.networks.registry import build_network
from medscale.networks.weights import load_pretrained


def _save(tmp_path, name, rename=str, **settings):
    """Return a file of 1000 classes as torchvision publishes it, and its weights."""
    given = build_network(name, 1, width=4, outputs=1000, **settings).state_dict()
    torch.save({rename(key): value for key, value in given.items()}, tmp_path / "weights.pth")
    return tmp_path / "weights.pth", given


@pytest.mark.parametrize("name", ["alexnet", "vgg16", "googlenet", "inception_v3", "densenet121"])
def test_all_but_the_heads_are_loaded(tmp_path, name):
    path, given = _save(tmp_path, name)
    network = build_network(name, 2, width=4)
    drawn = {key: value.clone() for key, value in network.state_dict().items()}
    load_pretrained(network, path)
    heads = tuple(f"{head}." for head in network.heads)
    for key, value in network.state_dict().items():
        assert torch.equal(value, (drawn if key.startswith(heads) else given)[key])


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_auxiliary_heads_of_the_file_are_left_out_where_the_network_has_none(tmp_path, name):
    path, given = _save(tmp_path, name)
    network = build_network(name, 2, width=4, outputs=1000, auxiliary=False)
    load_pretrained(network, path)
    assert all(torch.equal(value, given[key]) for key, value in network.state_dict().items())


def test_auxiliary_heads_that_the_file_lacks_are_missed(tmp_path):
    path, _ = _save(tmp_path, "googlenet", auxiliary=False)
    with pytest.raises(InputError, match="parameters missing"):
        load_pretrained(build_network("googlenet", 2, width=4), path)


def test_names_with_dots_in_old_densenets_are_read(tmp_path):
    path, given = _save(tmp_path, "densenet121", lambda key: re.sub(r"(norm|conv)([12])\.", r"\1.\2.", key))
    assert "features.denseblock1.denselayer1.norm.1.weight" in torch.load(path)
    network = build_network("densenet121", 2, width=4, outputs=1000)
    load_pretrained(network, path)
    assert all(torch.equal(value, given[key]) for key, value in network.state_dict().items())
