import json
import os

import pytest
import torch
from safetensors.torch import save_file

from medscale.errors import InputError
from medscale.networks.registry import CLASSIFIERS, build_network
from medscale.networks.weights import load_pretrained

REFERENCE = "reference/torchvision-state-dicts.json"


@pytest.mark.parametrize("name", ["resnet50", "resnet101"])
def test_parameters_have_the_names_and_shapes_of_torchvision(name, real_data):
    path = real_data.parent / REFERENCE
    if not path.exists() and not os.environ.get("CI"):
        pytest.skip(f"no {path}")
    expected = json.loads(path.read_text())[name]
    own = {key: list(value.shape) for key, value in build_network(name, 0, outputs=1000).state_dict().items()}
    assert own == expected


def test_the_network_of_the_thesis_has_its_size():
    assert sum(weight.numel() for weight in build_network("resnet101", 0).parameters()) == 42_502_209


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_classifier_gives_one_logit_and_passes_gradients_to_every_weight(name):
    network = build_network(name, 0, width=8)
    logits = network(torch.randn(2, 3, 64, 64))
    assert logits.shape == (2, 1)
    logits.sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())


def test_weights_follow_from_the_seed_and_leave_the_global_generator_alone():
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    first, same, other = (build_network("resnet10", seed, width=4) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(first.conv1.weight, same.conv1.weight)
    assert not torch.equal(first.conv1.weight, other.conv1.weight)


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_a_torchvision_file_with_1000_classes_loads_all_but_the_head(tmp_path, ending):
    given = build_network("resnet10", 1, width=4, outputs=1000).state_dict()
    path = tmp_path / f"weights.{ending}"
    torch.save(given, path) if ending == "pth" else save_file(given, path)
    network = build_network("resnet10", 2, width=4)
    head = network.fc.weight.clone()
    load_pretrained(network, path)
    assert torch.equal(network.layer4[0].conv2.weight, given["layer4.0.conv2.weight"])
    assert torch.equal(network.fc.weight, head)


def test_weights_of_another_network_and_unsafe_files_are_refused(tmp_path):
    torch.save(build_network("resnet18", 0, width=4).state_dict(), tmp_path / "other.pth")
    with pytest.raises(InputError, match="parameters missing"):
        load_pretrained(build_network("resnet50", 0, width=4), tmp_path / "other.pth")
    torch.save({"model": print}, tmp_path / "code.pth")
    with pytest.raises(InputError, match="no readable weights"):
        load_pretrained(build_network("resnet10", 0, width=4), tmp_path / "code.pth")


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(InputError, match="resnet101"):
        build_network("resnet1001", 0)
