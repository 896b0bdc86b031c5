import torch
from torch import nn
from torch.nn import functional

from medscale.networks.registry import build_network


def _images(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def _small_by_the_table(network, x, meant):
    """Compute the thesis's layers one after the other in evaluation, with the weights in their order."""
    pairs = zip(
        [module for module in network.modules() if isinstance(module, nn.Conv2d)][1:],
        [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)][1:],
        strict=False,
    )

    def layer(x):
        convolution, norm = next(pairs)
        return convolution(norm(x).relu())

    def dense(x):
        for _ in range(4):
            x = torch.cat([x, layer(x)], dim=1)
        return x

    x = stem = network.stem(x)
    levels = []
    for level in range(5):
        x = dense(x if level == 0 else functional.max_pool2d(x, 2))
        levels.append(x)
    x = levels.pop()
    while levels:
        enlarged = layer(x).repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
        x = dense(layer(torch.cat([enlarged, levels.pop()], dim=1)))
    if meant:
        x = dense(torch.cat([layer(x), stem], dim=1))
    last = [module for module in network.modules() if isinstance(module, nn.Conv2d)][-1]
    return last(x)


def test_the_small_networks_are_those_of_the_table():
    images = _images(2, 1, 32, 48)
    for name in ("denseunet_small", "denseunet_small_as_built"):
        network = build_network(name, 0, growth=1).eval()
        with torch.no_grad():
            expected = _small_by_the_table(network, images, meant=name == "denseunet_small")
            torch.testing.assert_close(network(images), expected)


def test_only_as_meant_the_stem_reaches_the_last_block():
    with torch.device("meta"):
        meant, built = (build_network(f"denseunet_small{end}", 0) for end in ("", "_as_built"))
    assert meant.last["logits"].in_channels == 40
    assert built.last.in_channels == 32


def test_whole_channels_are_dropped_in_training():
    network = build_network("denseunet_small", 0, growth=4)
    drops = [module for module in network.modules() if isinstance(module, nn.Dropout2d)]
    assert {drop.p for drop in drops} == {0.05}
    seen = []
    network.drop.register_forward_hook(lambda _, given, result: seen.append((given[0], result)))
    torch.manual_seed(0)
    network(_images(2, 1, 64, 64))
    (given, kept) = seen[0]
    dropped = ((kept == 0) & (given != 0)).flatten(2).any(dim=2)
    assert 0 < dropped.float().mean() < 0.15
    assert not kept[dropped].any()


def test_the_big_network_has_the_published_channels():
    with torch.device("meta"):
        network = build_network("denseunet_big", 0)
        boxes = [network.stem, *network.dense]
        levels = [network.stem(torch.rand(2, 1, 64, 64))]
        x = network.pool(levels[0])
        for dense, transition in zip(network.dense, network.transitions, strict=False):
            levels.append(dense(x))
            x = transition(levels[-1])
        levels.append(network.dense[-1](x))
    assert len(boxes) == 5
    assert [level.shape[1] for level in levels] == [64, 352, 928, 2080, 2848]
    assert [level.shape[2] for level in levels] == [32, 16, 8, 4, 2]
    assert [up.convolution[0].out_channels for up in network.up] == [768, 384, 192, 96]


def _big_by_the_table(network, x):
    """Compute the thesis's layers one after the other, with the network's own."""

    def normalise(layer, x, eps):
        return functional.batch_norm(x, None, None, layer.weight, layer.bias, training=True, eps=eps).relu()

    def repeat(x):
        return x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)

    def crb(layers, x):
        return normalise(layers[1], layers[0](x), 1e-3)

    convolution, norm, _ = network.stem
    levels = [normalise(norm, convolution(x), 1.1e-5)]
    x = functional.max_pool2d(levels[0], 3, stride=2, padding=1)
    for place, block in enumerate(network.dense):
        for norm, _, narrow, norm_narrow, _, widen in block.layers:
            y = normalise(norm_narrow, narrow(normalise(norm, x, 1.1e-5)), 1.1e-5)
            x = torch.cat([x, widen(y)], dim=1)
        if place < 3:
            levels.append(x)
            norm, _, convolution, _ = network.transitions[place]
            x = functional.avg_pool2d(convolution(normalise(norm, x, 1.1e-5)), 2)
    x = crb(network.bottom, repeat(normalise(network.encoded[0], x, 1.1e-5)))
    x = crb(network.up[0].convolution, x + network.up[0].lateral(levels[3]))
    for up, level in zip(network.up[1:], reversed(levels[:3]), strict=True):
        x = crb(up.convolution, repeat(x) + crb(up.lateral, level))
    _, (convolution, _, norm, _), last = network.last
    return last(normalise(norm, convolution(repeat(x)), 1e-3))


def test_the_big_network_is_that_of_the_table():
    network = build_network("denseunet_big", 0, growth=3, blocks=(2, 3, 2, 2)).double()
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    images = _images(2, 1, 64, 96).double()
    torch.testing.assert_close(network(images), _big_by_the_table(network, images))


def test_repeating_pixels_before_or_after_a_pointwise_layer_is_the_same():
    """What the big network saves against its source: batch statistics do not see repeated pixels."""
    layers = build_network("denseunet_big", 0, growth=3, blocks=(1, 1, 1, 1)).bottom
    repeat = nn.Upsample(scale_factor=2)
    x = torch.randn(4, layers[0].in_channels, 4, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(repeat(layers(x)), layers(repeat(x)))


def test_the_deepest_skip_alone_is_added_without_batch_norm():
    network = build_network("denseunet_big", 0, growth=3, blocks=(1, 1, 1, 1))
    assert [isinstance(up.lateral, nn.Conv2d) for up in network.up] == [True, False, False, False]
