import torch
from torch import nn
from torch.nn import functional

from medscale.networks.parameter_count import count_parameters
from medscale.networks.registry import build_network
from medscale.networks.segmenters.deeplab import InvertedResidual


def _features(network, images):
    """Return what each layer of the backbone makes."""
    made = []
    for layer in network.backbone:
        images = layer(images)
        made.append(images)
    return made


def test_the_backbone_is_that_of_the_table():
    with torch.device("meta"):
        network = build_network("deeplabv3plus", 0)
        made = _features(network, torch.rand(2, 1, 128, 128))
    channels = [32, 16, 24, 24, *[32] * 3, *[64] * 4, *[96] * 3, *[160] * 3, 320]
    assert [features.shape[1] for features in made] == channels
    assert [128 // features.shape[2] for features in made] == [2, 2, 4, 4] + [8] * 14
    convolutions = [layer for layer in network.backbone.modules() if isinstance(layer, nn.Conv2d)]
    assert [layer.dilation[0] for layer in convolutions if layer.groups > 1] == [1] * 7 + [2] * 7 + [4] * 3
    shortcuts = [block.shortcut for block in network.backbone[1:]]
    assert [place for place, there in enumerate(shortcuts) if there] == [2, 4, 5, 7, 8, 9, 11, 12, 14, 15]


def test_an_inverted_residual_is_wide_in_the_middle_and_cut_at_six():
    torch.manual_seed(0)
    block = InvertedResidual(4, 4, expansion=6, stride=1, dilation=2)
    widen, _, _, separate, norm, _, narrow, _ = block.convolutions
    nn.init.constant_(norm.bias, 5.0)
    x = 3 * torch.randn(2, 4, 8, 8)

    def normalise(x, place):
        layer = block.convolutions[place]
        return functional.batch_norm(x, None, None, layer.weight, layer.bias, training=True, eps=1e-3)

    y = normalise(functional.conv2d(x, widen.weight), 1).clamp(0, 6)
    y = functional.conv2d(y, separate.weight, padding=2, dilation=2, groups=24)
    y = normalise(functional.conv2d(normalise(y, 4).clamp(0, 6), narrow.weight), 7)
    torch.testing.assert_close(block(x), x + y)


def test_the_decoder_joins_features_of_a_quarter_and_adds_their_layers_alone():
    with torch.device("meta"):
        plain, joined = (build_network(f"deeplabv3plus{end}", 0) for end in ("", "_decoder"))
    assert joined.project[0].weight.shape == (48, 24, 1, 1)
    projection = 24 * 48 + 4 * 48
    filters = (9 + 4) * (256 + 48) + (9 + 4) * 256
    widths = (256 + 48) * 256 + 4 * 256 + 256 * 256 + 4 * 256
    assert count_parameters(joined) - count_parameters(plain) == projection + filters + widths


def test_the_decoder_tells_apart_what_the_thesis_network_blurs():
    """Within a pixel of the features, 8 of the image, the plain logits are straight between few knots."""

    def curvature(name):
        network = build_network(name, 0, width=8)
        logits = network(torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0)))
        inside = logits[..., 21:27]
        return (inside[..., 2:] - 2 * inside[..., 1:-1] + inside[..., :-2]).abs().max()

    assert curvature("deeplabv3plus") < 1e-4
    assert curvature("deeplabv3plus_decoder") > 1e-3


def test_further_branches_are_dilated():
    network = build_network("deeplabv3plus", 0, width=4, atrous_rates=(6, 12, 18))
    assert [branch[0][0].dilation[0] for branch in network.pyramid.branches[1:]] == [6, 12, 18]
    assert network(torch.rand(2, 1, 64, 64)).shape == (2, 3, 64, 64)


def test_the_average_of_the_image_reaches_every_pixel():
    network = build_network("deeplabv3plus", 0, width=8).eval()
    features = torch.rand(1, 80, 16, 16, generator=torch.Generator().manual_seed(0))
    changed = features.clone()
    changed[..., 0, 0] += 5
    with torch.no_grad():
        difference = (network.pyramid(changed) - network.pyramid(features)).abs().amax(dim=(0, 1))
    assert (difference > 0).all()
