import pytest
import torch
from torch import nn

from medscale.errors import InputError
from medscale.networks.generators import as_probabilities
from medscale.networks.registry import DISCRIMINATORS, GENERATORS, build_network
from medscale.training.models import ModelCard, load_model, save_model


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def _noise(count, length=100):
    return torch.randn(count, length, generator=torch.Generator().manual_seed(0))


def test_both_are_known_by_name():
    assert list(GENERATORS) == ["dcgan_generator"]
    assert list(DISCRIMINATORS) == ["dcgan_discriminator"]


@pytest.mark.parametrize("size", [32, 64, 128])
def test_a_pair_fits_and_passes_gradients_to_every_weight(size):
    generator = build_network("dcgan_generator", 0, size=size, width=4)
    discriminator = build_network("dcgan_discriminator", 0, size=size, width=4)
    drawn = generator(_noise(3))
    assert drawn.shape == (3, 4, size, size)
    logits = discriminator(as_probabilities(drawn))
    assert logits.shape == (3, 1)
    logits.sum().backward()
    for network in (generator, discriminator):
        assert all(weight.grad is not None and weight.grad.any() for weight in network.parameters())


def test_the_image_is_bounded_and_the_classes_become_shares():
    generator = build_network("dcgan_generator", 0, width=4, classes=5, noise=7)
    with torch.no_grad():
        generator.last.weight *= 100
        drawn = generator(_noise(2, generator.noise))
    assert drawn.shape == (2, 6, 64, 64)
    assert drawn[:, 0].min() >= 0
    assert drawn[:, 0].max() <= 1
    assert drawn[:, 1:].min() < 0
    shares = as_probabilities(drawn)
    assert torch.equal(shares[:, 0], drawn[:, 0])
    torch.testing.assert_close(shares[:, 1:].sum(dim=1), torch.ones(2, 64, 64))
    assert torch.equal(shares[:, 1:].argmax(dim=1), drawn[:, 1:].argmax(dim=1))


@pytest.mark.parametrize("name", ["dcgan_generator", "dcgan_discriminator"])
@pytest.mark.parametrize("size", [16, 96, 256])
def test_other_sizes_are_refused(name, size):
    with pytest.raises(InputError, match="one of 32, 64, 128"):
        build_network(name, 0, size=size)


def test_the_width_of_64_is_that_of_the_publication_for_64_px():
    with torch.device("meta"):
        generator = build_network("dcgan_generator", 0, width=128)
    widths = [layer.out_channels for layer in generator.modules() if isinstance(layer, nn.ConvTranspose2d)]
    assert widths == [1024, 512, 256, 128, 4]


def test_weights_are_drawn_as_published():
    network = build_network("dcgan_discriminator", 0, width=32)
    assert network.layers[2][0].weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert network.layers[4][1].weight.mean().item() == pytest.approx(1.0, abs=0.01)


def test_a_few_steps_teach_the_discriminator_to_tell_them_apart():
    generator = build_network("dcgan_generator", 0, size=32, width=4)
    discriminator = build_network("dcgan_discriminator", 0, size=32, width=4)
    optimiser = torch.optim.Adam(discriminator.parameters(), lr=2e-3)
    real = torch.zeros(8, 4, 32, 32)
    real[:, 1] = 1
    real[:, 0, 8:24, 8:24] = torch.rand(8, 1, 1, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        drawn = as_probabilities(generator(_noise(8)))
    for _ in range(8):
        loss = nn.functional.softplus(-discriminator(real)) + nn.functional.softplus(discriminator(drawn))
        optimiser.zero_grad()
        loss.mean().backward()
        optimiser.step()
    assert loss.mean() < 0.5
    assert (discriminator(real) > discriminator(drawn)).all()


def test_a_saved_generator_draws_the_same(tmp_path):
    network = build_network("dcgan_generator", 3, size=32, width=4)
    card = ModelCard({"name": "dcgan_generator", "size": 32, "width": 4}, inputs={}, training={}, history=[])
    save_model(network, card, tmp_path / "run.safetensors")
    loaded, _ = load_model(tmp_path / "run.safetensors", torch.device("cpu"))
    with torch.no_grad():
        assert torch.equal(loaded(_noise(2)), network.eval()(_noise(2)))
