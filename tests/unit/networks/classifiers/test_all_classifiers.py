"""What every classification network must do, whatever it is made of."""

import json
import os

import pytest
import torch
from torch import nn

from medscale.errors import InputError
from medscale.networks.classifiers.auxiliary import Outputs, combine_losses
from medscale.networks.registry import CLASSIFIERS, build_network

REFERENCE = "reference/torchvision-state-dicts.json"
# With 1000 classes and all heads, as torchvision's documentation has them; LeNet-5 with 10 (LeCun 1998), and
# the report's classifier with its 3.
PUBLISHED = {
    "lenet5": 61_706,
    "alexnet": 61_100_840,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
    "googlenet": 13_004_888,
    "inception_v3": 27_161_264,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "densenet121": 7_978_856,
    "strided_cnn": 5_238_147,
}
PUBLISHED_OUTPUTS = {"lenet5": 10, "strided_cnn": 3}
# Networks for square images of one size.
SQUARE = ("lenet5", "strided_cnn")
TORCHVISION = [name for name in PUBLISHED if name not in (*SQUARE, "resnet18", "resnet34")]
SMALLEST_PX = {
    "lenet5": 32,
    "alexnet": 63,
    "vgg16": 32,
    "vgg19": 32,
    "googlenet": 15,
    "inception_v3": 75,
    "densenet121": 29,
    "strided_cnn": 512,
}
AUXILIARY = {"googlenet": (2, 0.3), "inception_v3": (1, 0.4)}
# Where the head itself needs larger images than the rest.
TRAINING_PX = SMALLEST_PX | {"inception_v3": 299}


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def _narrow(name, **settings):
    return build_network(name, 0, **{"width": 4, "channels_in": 1} | settings)


def _images(name, count=2, channels=1, sizes=SMALLEST_PX):
    size = sizes.get(name, 40)
    return torch.randn(count, channels, size, size, generator=torch.Generator().manual_seed(0))


def _published(name):
    """Return the network of the published size, with shapes and no values."""
    with torch.device("meta"):
        return build_network(name, 0, outputs=PUBLISHED_OUTPUTS.get(name, 1000))


@pytest.mark.parametrize(("name", "count"), PUBLISHED.items())
def test_the_published_network_has_its_published_size(name, count):
    assert sum(weight.numel() for weight in _published(name).parameters()) == count


@pytest.mark.parametrize("name", TORCHVISION)
def test_parameters_have_the_names_and_shapes_of_torchvision(name, real_data):
    path = real_data.parent / REFERENCE
    if not path.exists() and not os.environ.get("CI"):
        pytest.skip(f"no {path}")
    expected = json.loads(path.read_text())[name]
    assert {key: list(value.shape) for key, value in _published(name).state_dict().items()} == expected


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_step_on_grey_images_reaches_every_weight(name):
    network = _narrow(name, outputs=3)
    before = {key: weight.clone() for key, weight in network.named_parameters()}
    outputs = network(_images(name, sizes=TRAINING_PX))
    labels = torch.tensor([0, 2])
    combine_losses(outputs, lambda logits: nn.functional.cross_entropy(logits, labels)).backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in network.parameters())
    torch.optim.SGD(network.parameters(), lr=0.1).step()
    changed = [not torch.equal(before[key], weight) for key, weight in network.named_parameters()]
    assert sum(changed) > 0.9 * len(changed)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_eval_mode_returns_the_logits_alone_for_colour_and_oblong_images_too(name):
    network = _narrow(name, outputs=2, channels_in=3).eval()
    images = _images(name, channels=3)
    if name not in SQUARE:
        images = nn.functional.pad(images, (0, 9))
    logits = network(images)
    assert logits.shape == (2, 2)
    assert logits.isfinite().all()


@pytest.mark.parametrize(("name", "px"), SMALLEST_PX.items())
def test_one_pixel_less_than_the_smallest_edge_is_refused(name, px):
    network = _narrow(name).eval()
    with pytest.raises(InputError, match=r"edges of at least \d+ px|square images of this size"):
        network(torch.zeros(1, 1, px - 1, px))
    if name not in SQUARE:
        assert network.smallest_px == px


def test_one_pixel_is_enough_for_a_resnet():
    assert _narrow("resnet18").eval()(torch.zeros(1, 1, 1, 1)).shape == (1, 1)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_volumes_are_refused(name):
    with pytest.raises(InputError, match="4 axes"):
        _narrow(name)(torch.zeros(1, 1, 8, 64, 64))


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_weights_follow_from_the_seed(name):
    first, same, other = (
        torch.cat([weight.flatten() for weight in build_network(name, seed, width=4).parameters()])
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_heads_are_the_layers_whose_size_follows_from_the_outputs(name):
    few, many = (
        {key: value.shape for key, value in _narrow(name, outputs=n).state_dict().items()} for n in (2, 5)
    )
    assert {key.rpartition(".")[0] for key in few if few[key] != many[key]} == set(_narrow(name).heads)


@pytest.mark.parametrize(("name", "expected"), AUXILIARY.items())
def test_auxiliary_heads_speak_in_training_alone(name, expected):
    network, images = _narrow(name, outputs=3), _images(name, sizes=TRAINING_PX)
    outputs = network(images)
    assert isinstance(outputs, Outputs)
    assert (len(outputs.auxiliary), outputs.weight) == expected
    assert {logits.shape for logits in (outputs.logits, *outputs.auxiliary)} == {(2, 3)}
    for head in network.auxiliary_heads:
        network.get_submodule(head).register_forward_hook(lambda *_: pytest.fail("was computed"))
    assert isinstance(network.eval()(images), torch.Tensor)


@pytest.mark.parametrize("name", AUXILIARY)
def test_without_auxiliary_heads_the_logits_are_the_same(name):
    whole, bare = _narrow(name), _narrow(name, auxiliary=False)
    rest = {
        key: value for key, value in whole.state_dict().items() if not key.startswith(whole.auxiliary_heads)
    }
    bare.load_state_dict(rest, strict=True)
    images = _images(name)
    assert torch.equal(whole.eval()(images), bare.eval()(images))
    assert bare.train()(images).shape == (2, 1)
    assert sum(p.numel() for p in bare.parameters()) < sum(p.numel() for p in whole.parameters())
