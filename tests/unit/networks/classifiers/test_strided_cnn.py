import pytest
import torch

from medscale.errors import InputError
from medscale.networks.parameter_count import count_parameters
from medscale.networks.registry import build_network

# The report's torchsummary; layers without parameters are left out.
LAYERS = {
    "cnn_layers.0": 1_664,
    "cnn_layers.1": 128,
    "cnn_layers.4": 204_928,
    "cnn_layers.5": 256,
    "cnn_layers.8": 819_456,
    "cnn_layers.9": 512,
    "fc_layers.0": 4_194_560,
    "fc_layers.2": 16_448,
    "fc_layers.4": 195,
}
SHAPES = {
    "cnn_layers.0": (64, 256, 256),
    "cnn_layers.3": (64, 128, 128),
    "cnn_layers.4": (128, 64, 64),
    "cnn_layers.7": (128, 32, 32),
    "cnn_layers.8": (256, 16, 16),
    "cnn_layers.11": (256, 8, 8),
    "fc_layers.0": (256,),
    "fc_layers.2": (64,),
    "fc_layers.4": (3,),
}


def _published(outputs):
    with torch.device("meta"):
        return build_network("strided_cnn", 0, outputs=outputs)


def test_each_layer_has_the_parameters_that_the_report_prints():
    sizes = {}
    for name, weight in _published(3).named_parameters():
        layer = name.rpartition(".")[0]
        sizes[layer] = sizes.get(layer, 0) + weight.numel()
    assert sizes == LAYERS


def test_each_layer_has_the_shape_that_the_report_prints():
    network, shapes = build_network("strided_cnn", 0, outputs=3).eval(), {}
    for name in SHAPES:
        network.get_submodule(name).register_forward_hook(
            lambda _, given, made, name=name: shapes.update({name: tuple(made.shape[1:])})
        )
    with torch.no_grad():
        network(torch.zeros(1, 1, 512, 512))
    assert shapes == SHAPES


def test_two_classes_need_one_output_less():
    assert sum(weight.numel() for weight in _published(2).parameters()) == 5_238_082
    # Keras and the thesis count the running mean and variance of 448 channels as well.
    assert count_parameters(_published(2)) == 5_238_082 + 2 * 448


def test_all_widths_scale_with_the_first():
    network = build_network("strided_cnn", 0, width=8, size_px=128, outputs=3)
    assert [network.cnn_layers[place].out_channels for place in (0, 4, 8)] == [8, 16, 32]
    assert [network.fc_layers[place].out_features for place in (0, 2, 4)] == [32, 8, 3]
    assert network.fc_layers[0].in_features == 32 * 2 * 2


@pytest.mark.parametrize(("size_px", "left_px"), [(43, 1), (64, 1), (86, 1), (107, 2), (128, 2), (224, 3)])
def test_the_first_linear_layer_fits_the_size_of_the_images(size_px, left_px):
    network = build_network("strided_cnn", 0, width=2, size_px=size_px)
    assert network.fc_layers[0].in_features == 8 * left_px**2
    assert network(torch.zeros(2, 1, size_px, size_px)).shape == (2, 1)


def test_a_size_that_leaves_no_pixel_is_refused():
    with pytest.raises(InputError, match=r"network.size_px: found 42; expected at least 43"):
        build_network("strided_cnn", 0, size_px=42)


@pytest.mark.parametrize("shape", [(96, 96), (128, 96)])
def test_images_of_another_size_than_the_network_was_built_for_are_refused(shape):
    network = build_network("strided_cnn", 0, width=2, size_px=128)
    with pytest.raises(InputError, match=rf"128, given images of {shape[0]} x {shape[1]} px"):
        network(torch.zeros(2, 1, *shape))
