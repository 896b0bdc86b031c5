import torch
from torch import nn
from torch.nn import functional

from medscale.networks.parameter_count import count_parameters
from medscale.networks.registry import build_network


def _images(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def _by_the_table(network, x):
    """Compute the thesis's layers one after the other, with the network's weights in their order."""
    convolutions = iter([module for module in network.modules() if isinstance(module, nn.Conv2d)])
    norms = iter([module for module in network.modules() if isinstance(module, nn.BatchNorm2d)])

    def crb(x):
        layer, norm = next(convolutions), next(norms)
        x = functional.pad(x, (0, 1, 0, 1)) if layer.kernel_size == (2, 2) else functional.pad(x, (1,) * 4)
        x = functional.conv2d(x, layer.weight, layer.bias).relu()
        return functional.batch_norm(x, None, None, norm.weight, norm.bias, training=True, eps=1e-3)

    def repeat(x):
        return x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)

    a = crb(crb(x))
    b = crb(crb(functional.max_pool2d(a, 2)))
    x = crb(crb(crb(functional.max_pool2d(b, 2))))
    x = crb(crb(torch.cat([b, crb(repeat(x))], dim=1)))
    x = crb(crb(crb(torch.cat([a, crb(repeat(x))], dim=1))))
    last = next(convolutions)
    return functional.conv2d(x, last.weight, last.bias)


def test_the_layers_are_those_of_the_table():
    network = build_network("unet2d", 0, width=4)
    images = _images(3, 1, 32, 24)
    torch.testing.assert_close(network(images), _by_the_table(network, images))


def test_without_batch_norm_the_norms_alone_are_missing():
    with torch.device("meta"):
        plain = build_network("unet2d", 0, channels_in=3, batch_norm=False)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in plain.modules())
    channels = 2 * 64 + 2 * 128 + 3 * 256 + 3 * 128 + 3 * 64 + 10
    assert count_parameters(plain) == 2_465_619 - 4 * channels
    network = build_network("unet2d", 0, width=4, batch_norm=False)
    network(_images(1, 1, 16, 16)).square().mean().backward()
    assert all(weight.grad is not None for weight in network.parameters())


def test_narrow_networks_keep_ten_channels_before_the_classes():
    assert build_network("unet2d", 0, width=2).last.weight.shape == (3, 10, 1, 1)
