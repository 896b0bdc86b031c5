import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from medscale.errors import InputError
from medscale.networks.registry import CLASSIFIERS, build_network
from medscale.networks.weights import load_pretrained

RESNETS = [name for name in CLASSIFIERS if name.startswith("resnet")]


def test_the_network_of_the_thesis_has_its_size():
    assert sum(weight.numel() for weight in build_network("resnet101", 0).parameters()) == 42_502_209


@pytest.mark.parametrize("name", RESNETS)
def test_every_resnet_gives_one_logit_and_passes_gradients_to_every_weight(name):
    network = build_network(name, 0, width=8)
    logits = network(torch.randn(2, 3, 64, 64))
    assert logits.shape == (2, 1)
    logits.sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())


@pytest.mark.parametrize("name", RESNETS)
def test_the_plain_network_is_the_residual_one_less_its_projections(name):
    residual, plain = (build_network(name, 0, width=4, shortcuts=flag) for flag in (True, False))
    layers = [key for key in residual.state_dict() if ".downsample." not in key]
    assert list(plain.state_dict()) == layers
    assert len(layers) < len(residual.state_dict())
    assert plain(torch.randn(2, 3, 32, 32)).shape == (2, 1)


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_nothing_goes_around_a_plain_block(name):
    x = torch.rand(2, 4 if name == "resnet18" else 16, 8, 8)
    for shortcuts in (True, False):
        block = build_network(name, 0, width=4, shortcuts=shortcuts).layer1[1]
        nn.init.zeros_((block.bn2 if name == "resnet18" else block.bn3).weight)
        assert torch.equal(block(x), x if shortcuts else torch.zeros_like(x))


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
