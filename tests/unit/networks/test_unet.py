import copy

import numpy as np
import pytest
import torch
from torch import nn

from medscale.errors import InputError
from medscale.networks.registry import build_network


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def _images(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def _parameters(width, depth, channels_in, channels_out):
    """Count by Ronneberger's figure: 3x3 kernels without bias, two numbers of batch norm a channel."""
    count, channels = 0, channels_in
    for level in range(depth + 1):
        wide = width * 2**level
        count += 9 * channels * wide + 9 * wide * wide + 4 * wide
        channels = wide
    for level in reversed(range(depth)):
        wide = width * 2**level
        count += 4 * 2 * wide * wide + wide  # 2x2 transposed convolution with bias
        count += 9 * 2 * wide * wide + 9 * wide * wide + 4 * wide
    return count + width * channels_out + channels_out


@pytest.mark.parametrize(("width", "depth", "channels"), [(64, 4, (1, 1)), (8, 4, (1, 1)), (6, 2, (3, 2))])
def test_the_number_of_parameters(width, depth, channels):
    network = build_network(
        "unet", 0, width=width, depth=depth, channels_in=channels[0], channels_out=channels[1]
    )
    assert sum(weight.numel() for weight in network.parameters()) == _parameters(width, depth, *channels)


def test_the_published_network_differs_by_batch_norm_alone():
    # It has 31,030,593 parameters with one output, where each 3x3 convolution has biases instead.
    norms = sum(2 * width for level in range(5) for width in [64 * 2**level] * 2 * (1 + (level < 4)))
    assert _parameters(64, 4, 1, 1) - norms + norms // 2 == 31_030_593


def test_the_network_for_masks_of_grey_images_has_31_036_481_parameters():
    with torch.device("meta"):
        network = build_network("unet", 0, channels_in=1, channels_out=1, width=64, depth=4, output="none")
    assert sum(weight.numel() for weight in network.parameters()) == 31_036_481


@pytest.mark.parametrize(("rows", "columns"), [(32, 32), (33, 47), (48, 31), (16, 128)])
def test_any_size_comes_back_and_every_weight_gets_a_gradient(rows, columns):
    network = build_network("unet", 0, width=4)
    restored = network(_images(2, 1, rows, columns))
    assert restored.shape == (2, 1, rows, columns)
    restored.sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in network.parameters())


def test_other_sizes_are_padded_by_reflection_and_cropped():
    network = build_network("unet", 0, width=4, depth=3).eval()
    images = _images(1, 1, 21, 30)
    padded = torch.from_numpy(np.pad(images.numpy(), ((0, 0), (0, 0), (0, 3), (0, 2)), mode="reflect"))
    with torch.no_grad():
        assert torch.equal(network(images), network(padded)[..., :21, :30])


def test_each_skip_joins_its_own_level():
    """Shifting by 8 pixels, a multiple of all strides, shifts the result: nothing is joined out of place."""
    network = build_network("unet", 0, width=4, depth=3, output="none").eval()
    image = torch.zeros(1, 1, 160, 160)
    image[..., 60:80, 60:84] = _images(20, 24)
    with torch.no_grad():
        moved = network(torch.roll(image, (8, 16), (-2, -1)))
        expected = torch.roll(network(image), (8, 16), (-2, -1))
    inside = (..., slice(48, 112), slice(48, 112))
    torch.testing.assert_close(moved[inside], expected[inside], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(expected[inside], torch.roll(expected, 8, -1)[inside], atol=1e-3)


def test_only_the_sigmoid_bounds_the_output():
    bounded, free = (
        build_network("unet", 0, width=4, depth=2, output=name).eval() for name in ("sigmoid", "none")
    )
    images = 100 * _images(1, 1, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(bounded(images), torch.sigmoid(free(images)))
        assert free(images).abs().max() > 1
    with pytest.raises(InputError, match="sigmoid, none"):
        build_network("unet", 0, output="softmax")


@pytest.mark.parametrize("mixed", [False, True])
def test_activation_checkpointing_changes_no_bit_of_a_training(mixed):
    plain = build_network("unet", 3, width=4)
    saving = build_network("unet", 3, width=4, activation_checkpointing=True)
    for network in (plain, saving):
        optimiser = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
        for seed in range(3):
            images = torch.rand(2, 1, 40, 32, generator=torch.Generator().manual_seed(seed))
            optimiser.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
                restored = network(images)
            (restored.float() - images).abs().mean().backward()
            optimiser.step()
    assert saving.state_dict().keys() == plain.state_dict().keys()
    for name, value in plain.state_dict().items():
        assert torch.equal(saving.state_dict()[name], value), name
    assert int(plain.first[1].num_batches_tracked) == 3
    assert saving.first[1].momentum == plain.first[1].momentum


def test_plain_checkpointing_would_count_the_statistics_twice():
    """What the test above guards against is real: torch alone updates the running statistics again."""
    from torch.utils.checkpoint import checkpoint

    block = build_network("unet", 0, width=4).first
    twice = copy.deepcopy(block)
    images = _images(2, 1, 16, 16)
    block(images).sum().backward()
    checkpoint(twice, images.requires_grad_(), use_reentrant=False).sum().backward()
    assert int(twice[1].num_batches_tracked) == 2 * int(block[1].num_batches_tracked)
    assert not torch.equal(twice[1].running_mean, block[1].running_mean)


def test_activation_checkpointing_keeps_fewer_tensors():
    def kept(network):
        kept_bytes = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda tensor: kept_bytes.append(tensor.numel()) or tensor, lambda tensor: tensor
        ):
            network(_images(4, 1, 64, 64))
        return sum(kept_bytes)

    settings = {"width": 4, "depth": 3}
    plain = build_network("unet", 0, **settings)
    saving = build_network("unet", 0, **settings, activation_checkpointing=True)
    assert kept(saving) < 0.5 * kept(plain)


def test_an_untrained_network_keeps_the_scale_of_its_features():
    """Ronneberger et al., section 3: weights are drawn so that each feature map has about unit variance."""
    network = build_network("unet", 0, width=16, output="none")
    gains = []

    def watch(_, given, result):
        gains.append((result.std() / given[0].square().mean().sqrt()).item())

    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3):
            module.register_forward_hook(watch)
    network(torch.randn(4, 1, 64, 64, generator=torch.Generator().manual_seed(1)))
    assert len(gains) == 18
    np.testing.assert_allclose(gains, np.sqrt(2), rtol=0.45)
