import pytest
import torch
from torch import nn
from torch.nn import functional

from medscale.networks.registry import build_network
from medscale.networks.segmenters.pspnet import PyramidPooling


def _images(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def _convolve(layer, x, **settings):
    return functional.conv2d(x, layer.weight, layer.bias, **settings)


def _normalise(layer, x):
    return functional.batch_norm(
        x, None, None, layer.weight, layer.bias, training=True, eps=1e-5 if layer.momentum == 0.05 else 1e-3
    )


def _pyramid_and_head(network, image, pooled, features, even):
    """Compute what follows the encoder one layer after the other, the image as large as published."""
    joined = [features]
    for pool_px, (convolution, norm, _) in zip((2, 4, 8, 16), network.pyramid.branches, strict=True):
        x = functional.avg_pool2d(pooled, pool_px)
        x = _normalise(norm, _convolve(convolution, x)).relu()
        joined.append(functional.interpolate(x, features.shape[2:], mode="bilinear", align_corners=True))
    _, convolution, norm, _, _, last = network.head
    x = functional.pad(torch.cat(joined, dim=1), (0, 1, 0, 1) if even else (1, 1, 1, 1))
    x = _convolve(last, _normalise(norm, _convolve(convolution, x)).relu())
    return functional.interpolate(x, image.shape[2:], mode="bilinear", align_corners=True)


def _without_dropout(name):
    network = build_network(name, 0, width=2)
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return network


def test_the_layers_of_the_small_network_are_those_of_the_table():
    network, image = _without_dropout("pspnet_small"), _images(2, 1, 128, 128)
    (first, _, norm), (_, second, _, norm_second), (third, _, norm_third) = (
        network.encoder[place] for place in (0, 2, 3)
    )
    x = functional.max_pool2d(_normalise(norm, _convolve(first, image, padding=1).relu()), 2)
    x = _normalise(norm_second, _convolve(second, functional.pad(x, (0, 1, 0, 1))).relu())
    x = functional.max_pool2d(_normalise(norm_third, _convolve(third, x, padding=1).relu()), 2)
    expected = _pyramid_and_head(network, image, image, x, even=True)
    torch.testing.assert_close(network(image), expected, atol=1e-4, rtol=1e-4)


def _bottleneck(layer, x, stride, dilation):
    x = x.relu()
    reduce, norm, _, middle, norm_middle, _, raise_, norm_raise = layer.convolutions
    y = _normalise(norm, _convolve(reduce, x, stride=stride)).relu()
    y = _normalise(norm_middle, _convolve(middle, y, padding=dilation, dilation=dilation)).relu()
    y = _normalise(norm_raise, _convolve(raise_, y))
    if len(layer.shortcut):
        x = _normalise(layer.shortcut[1], _convolve(layer.shortcut[0], x, stride=stride))
    return x + y


def test_the_layers_of_the_big_network_are_those_of_the_table():
    network, image = _without_dropout("pspnet_big").double(), _images(2, 1, 128, 128).double()
    layers = list(network.encoder)
    x = image
    for place, stride in ((0, 2), (3, 1), (6, 1)):
        x = _normalise(layers[place + 1], _convolve(layers[place], x, stride=stride, padding=1)).relu()
    x = functional.max_pool2d(x, 3, stride=2, padding=1)
    dilations = [1] * 7 + [2] * 6 + [4] * 3
    for place, dilation in enumerate(dilations):
        x = _bottleneck(layers[10 + place], x, 2 if place == 3 else 1, dilation)
    x = x.relu()
    expected = _pyramid_and_head(network, image, x, x, even=False)
    torch.testing.assert_close(network(image), expected)


def _given_to(module, network, images):
    """Return what reaches a module when the network sees the images."""
    seen = []
    module.register_forward_hook(lambda _, given, result: seen.append((given, result)))
    with torch.no_grad():
        network.eval()(images)
    return seen


@pytest.mark.parametrize(
    ("name", "size", "grids"),
    [
        ("pspnet_small", 128, [64, 32, 16, 8]),
        ("pspnet_small", 64, [32, 16, 8, 4]),
        ("pspnet_big", 128, [8, 4, 2, 1]),
        ("pspnet_big", 64, [4, 2, 1, 1]),
    ],
)
def test_the_pools_divide_what_they_pool_into_squares(name, size, grids):
    network = build_network(name, 0, width=2)
    seen = [
        _given_to(branch, network, _images(1, 1, size, size))[0][0][0] for branch in network.pyramid.branches
    ]
    assert [pooled.shape[-1] for pooled in seen] == grids


def test_the_small_network_pools_the_image_and_the_big_one_its_features():
    images = _images(2, 3, 64, 64)
    for name, given in (("pspnet_small", (2, 3, 64, 64)), ("pspnet_big", (2, 64, 8, 8))):
        network = build_network(name, 0, width=2, channels_in=3)
        ((x, size), pooled) = _given_to(network.pyramid, network, images)[0]
        assert x.shape == given
        assert pooled.shape[2:] == size == ((16, 16) if name == "pspnet_small" else (8, 8))


def test_a_pool_is_the_average_of_its_square():
    pyramid = PyramidPooling(1, 1, (4,)).eval()
    nn.init.ones_(pyramid.branches[0][0].weight)
    image = _images(1, 1, 8, 8)
    expected = image.reshape(1, 1, 2, 4, 2, 4).mean(dim=(3, 5)) / (1 + 1e-5) ** 0.5
    torch.testing.assert_close(pyramid(image, (2, 2)), expected)


def test_the_big_network_halves_three_times_and_then_dilates():
    network = build_network("pspnet_big", 0, width=2)
    bottlenecks = [layer for layer in network.encoder if hasattr(layer, "shortcut")]
    assert [layer.convolutions[3].dilation[0] for layer in bottlenecks] == [1] * 7 + [2] * 6 + [4] * 3
    assert [layer.convolutions[0].stride[0] for layer in bottlenecks] == [1] * 3 + [2] + [1] * 12
    assert [len(layer.shortcut) > 0 for layer in bottlenecks] == [
        place in (0, 3, 7, 13) for place in range(16)
    ]


def test_a_sum_of_bottlenecks_is_only_cut_by_the_next_one():
    network = build_network("pspnet_big", 0, width=2)
    _, first = _given_to(network.encoder[10], network, _images(1, 1, 64, 64))[0]
    assert first.min() < 0
