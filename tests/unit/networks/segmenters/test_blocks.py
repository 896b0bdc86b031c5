import pytest
import torch
from torch import nn

from medscale.errors import InputError
from medscale.networks.segmenters.blocks import DenseBlock, Norm2d, activated_convolution


def test_the_norm_follows_the_relu():
    layers = activated_convolution(2, 4)
    assert [type(layer) for layer in layers] == [nn.Conv2d, nn.ReLU, Norm2d]
    made = layers(torch.randn(4, 2, 8, 8, generator=torch.Generator().manual_seed(0)))
    assert made.min() < 0
    torch.testing.assert_close(made.mean(dim=(0, 2, 3)), torch.zeros(4), atol=1e-5, rtol=0)


def test_an_even_kernel_keeps_the_size_and_reaches_right_and_down_as_tensorflows():
    layers = activated_convolution(1, 1, kernel=2, norm=False)
    nn.init.ones_(layers[1].weight)
    nn.init.zeros_(layers[1].bias)
    image = torch.zeros(1, 1, 4, 4)
    image[..., 2, 3] = 1
    expected = torch.zeros(1, 1, 4, 4)
    expected[..., 1:3, 2:4] = 1
    assert torch.equal(layers(image), expected)


def test_keras_norm_keeps_99_of_100_parts_and_adds_a_thousandth():
    norm = Norm2d(1)
    norm(torch.tensor([0.0, 2.0]).reshape(2, 1, 1, 1))
    assert norm.running_mean.item() == pytest.approx(0.01)
    constant = torch.tensor([5.0, 5.2]).reshape(2, 1, 1, 1)
    assert norm(constant).flatten()[1].item() == pytest.approx(0.1 / (0.01 + 1e-3) ** 0.5, rel=1e-4)


def test_a_norm_of_one_value_is_refused_in_training_alone():
    norm = Norm2d(3)
    with pytest.raises(InputError, match="at least 2 images"):
        norm(torch.rand(1, 3, 1, 1))
    assert norm.eval()(torch.rand(1, 3, 1, 1)).shape == (1, 3, 1, 1)


def test_each_layer_of_a_dense_block_sees_all_before_it():
    seen = []

    class Layer(nn.Module):
        def __init__(self, channels, growth):
            super().__init__()
            self.growth = growth
            self.expected = channels

        def forward(self, x):
            seen.append(x.shape[1] == self.expected)
            return x[:, : self.growth] + 1

    x = torch.rand(1, 4, 2, 2)
    made = DenseBlock(Layer, 4, 3, 2)(x)
    assert made.shape == (1, 10, 2, 2)
    assert seen == [True, True]
    assert torch.equal(made[:, :4], x)
