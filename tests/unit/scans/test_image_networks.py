import numpy as np
import pytest
import torch
from torch import nn

from medscale.errors import InputError
from medscale.networks.registry import CLASSIFIERS
from medscale.scans import image_networks
from medscale.scans.image_networks import check_size, complete_network, predict_images
from medscale.scans.prepared_images import PreparedImages
from medscale.training.models import ModelCard

NEEDED = {"outputs": 3, "channels_in": 1, "size_px": 64}


def test_only_networks_for_one_size_are_told_the_size():
    for name in ("lenet5", "strided_cnn"):
        assert complete_network({"name": name}, CLASSIFIERS, **NEEDED) == {"name": name} | NEEDED
    described = complete_network({"name": "resnet18", "width": 8}, CLASSIFIERS, **NEEDED)
    assert described == {"name": "resnet18", "width": 8, "outputs": 3, "channels_in": 1}


def test_the_images_decide_what_the_configuration_says_otherwise():
    described = complete_network({"name": "lenet5", "size_px": 32, "outputs": 10}, CLASSIFIERS, **NEEDED)
    assert described == {"name": "lenet5"} | NEEDED


def test_a_network_that_ends_in_probabilities_is_told_to_return_logits():
    assert complete_network({"name": "unet"}, ["unet"], output="none")["output"] == "none"
    assert complete_network({"name": "unet2d"}, ["unet2d"], output="none") == {"name": "unet2d"}


@pytest.mark.parametrize("network", [{"name": "unet"}, {"width": 8}])
def test_networks_for_something_else_are_refused(network):
    with pytest.raises(InputError, match=r"network\.name: found .*; expected one of lenet5, alexnet"):
        complete_network(network, CLASSIFIERS, **NEEDED)


def test_images_of_another_size_than_in_training_are_refused():
    pixels = np.zeros((1, 32, 32), np.uint8)
    images = PreparedImages(("a",), pixels, pixels, np.array([[64, 64]]))
    check_size(ModelCard({}, {"size_px": 32}, {}, []), images)
    with pytest.raises(InputError, match="found 32 pixels a side; expected 64, as in training"):
        check_size(ModelCard({}, {"size_px": 64}, {}, []), images)


class _Sum(nn.Module):
    """Grey means of images, and the sizes of the batches that they came in."""

    def __init__(self):
        super().__init__()
        self.sizes = []

    def forward(self, x):
        assert not self.training
        assert not torch.is_grad_enabled()
        assert x.dtype == torch.float32
        self.sizes.append(len(x))
        return x.mean(dim=(1, 2, 3))


@pytest.mark.parametrize(("count", "edge", "sizes"), [(5, 8, [5]), (5, 32, [2, 2, 1]), (2, 128, [1, 1])])
def test_batches_of_prediction_shrink_with_the_size_of_images(monkeypatch, count, edge, sizes):
    monkeypatch.setattr(image_networks, "PREDICTED_PX", 2 * 32 * 32)
    images = np.random.default_rng(0).integers(0, 256, (count, edge, edge), np.uint8)
    network = _Sum().train()
    means = torch.cat(list(predict_images(network, images, torch.device("cpu"))))
    assert network.sizes == sizes
    np.testing.assert_allclose(means, images.mean(axis=(1, 2)) / 255, rtol=1e-5)


def test_batches_of_prediction_have_a_largest_size():
    network = _Sum()
    list(predict_images(network, np.zeros((150, 4, 4), np.uint8), torch.device("cpu")))
    assert network.sizes == [64, 64, 22]
    assert list(predict_images(network, np.zeros((0, 4, 4), np.uint8), torch.device("cpu"))) == []
