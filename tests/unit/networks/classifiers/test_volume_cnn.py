import pytest
import torch
from torch import nn

from medscale.errors import InputError
from medscale.networks.registry import VOLUME_CLASSIFIERS, build_network

SMALL = {"outputs": 3, "channels_in": 2, "scores": 3, "width": 4, "depth": 2, "hidden": 5}


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def _build(**settings):
    return build_network("volume_cnn", 0, **SMALL | settings)


def _count(network):
    return sum(weight.numel() for weight in network.parameters())


def _volumes(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_registry_holds_it_apart_from_networks_for_2d_images():
    assert list(VOLUME_CLASSIFIERS) == ["volume_cnn"]


@pytest.mark.parametrize(
    ("inputs", "count"),
    [
        # 2 x 27 x 4 and 4 x 27 x 8 weights of convolutions, two numbers a channel of batch norm.
        ("image", 216 + 8 + 864 + 16 + (8 * 5 + 5) + (5 * 3 + 3)),
        ("scores", (3 * 5 + 5) + (5 * 3 + 3)),
        ("both", 216 + 8 + 864 + 16 + (11 * 5 + 5) + (5 * 3 + 3)),
    ],
)
def test_only_what_is_used_is_built(inputs, count):
    assert _count(_build(inputs=inputs)) == count


def test_the_default_network_has_four_blocks_of_doubled_width():
    # 16, 32, 64 and 128 channels; then (128 + 2) x 32 + 32 and 32 x 2 + 2.
    blocks = 27 * (16 + 16 * 32 + 32 * 64 + 64 * 128) + 2 * (16 + 32 + 64 + 128)
    assert _count(build_network("volume_cnn", 0, scores=2)) == blocks + 4_192 + 66 == 295_474


@pytest.mark.parametrize("inputs", ["image", "scores", "both"])
def test_logits_follow_from_what_is_used_alone(inputs):
    network = _build(inputs=inputs).eval()
    images, scores = _volumes(2, 2, 8, 9, 7), _volumes(2, 3)
    with torch.no_grad():
        logits = network(images, scores)
        other_images = network(_volumes(2, 2, 8, 9, 7, seed=1), scores)
        other_scores = network(images, _volumes(2, 3, seed=1))
    assert logits.shape == (2, 3)
    assert torch.equal(logits, other_images) == (inputs == "scores")
    assert torch.equal(logits, other_scores) == (inputs == "image")


def test_scores_stand_behind_the_means_of_the_last_blocks_channels():
    network = _build().eval()
    images, scores = _volumes(2, 2, 8, 8, 8), _volumes(2, 3)
    with torch.no_grad():
        features = network.blocks(images)
        assert features.shape == (2, 8, 2, 2, 2)
        joined = torch.cat([features.flatten(2).mean(dim=2), scores], dim=1)
        torch.testing.assert_close(network(images, scores), network.head(joined))


def test_each_kind_of_image_has_a_channel_of_its_own():
    network = _build(inputs="image").eval()
    images = _volumes(1, 2, 8, 8, 8)
    with torch.no_grad():
        assert not torch.allclose(network(images, None), network(images.flip(1), None))


@pytest.mark.parametrize("inputs", ["image", "scores", "both"])
def test_a_step_reaches_every_weight(inputs):
    network = _build(inputs=inputs, dropout=0.2)
    loss = nn.functional.cross_entropy(
        network(_volumes(4, 2, 8, 8, 8), _volumes(4, 3)), torch.tensor([0, 1, 2, 0])
    )
    loss.backward()
    assert all(weight.grad.abs().sum() > 0 for weight in network.parameters())


def test_dropout_speaks_in_training_alone():
    network = _build(dropout=0.5)
    images, scores = _volumes(4, 2, 8, 8, 8), _volumes(4, 3)
    assert not torch.equal(network(images, scores), network(images, scores))
    network.eval()
    assert torch.equal(network(images, scores), network(images, scores))


def test_weights_follow_from_the_seed():
    networks = [build_network("volume_cnn", seed, scores=1) for seed in (1, 1, 2)]
    first, same, other = (network.blocks[0][0].weight for network in networks)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_volumes_that_halve_to_nothing_are_refused_and_the_next_larger_are_not():
    network = _build(inputs="image", depth=3).eval()
    assert network(torch.zeros(1, 2, 8, 8, 8), None).shape == (1, 3)
    with pytest.raises(InputError, match=r"\(1, 2, 8, 7, 8\).*at least 8 voxels"):
        network(torch.zeros(1, 2, 8, 7, 8), None)


@pytest.mark.parametrize("shape", [(1, 2, 8, 8), (1, 1, 8, 8, 8), (1, 3, 8, 8, 8)])
def test_images_without_the_expected_axes_or_channels_are_refused(shape):
    with pytest.raises(InputError, match=r"\(n, 2, i, j, k\)"):
        _build(inputs="image")(torch.zeros(shape), None)


def test_another_number_of_scores_is_refused():
    with pytest.raises(InputError, match=r"network.scores: found 3, given scores of shape \(2, 4\)"):
        _build(inputs="scores")(None, torch.zeros(2, 4))


@pytest.mark.parametrize("inputs", ["scores", "both"])
def test_scores_that_are_to_be_used_must_be_there(inputs):
    with pytest.raises(InputError, match=f"found 0; expected at least 1 for inputs {inputs}"):
        _build(inputs=inputs, scores=0)
    assert not _build(inputs="image", scores=0).uses_scores


def test_inputs_have_three_names():
    with pytest.raises(InputError, match="'demographics'; expected one of image, scores, both"):
        _build(inputs="demographics")
