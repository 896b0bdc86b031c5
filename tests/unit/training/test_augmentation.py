import numpy as np
import pytest
import torch

from medscale.training.augmentation import draw_uniform, jitter_stain, turn_and_flip


def test_the_eight_elements_differ_and_keep_all_pixels():
    image = torch.arange(9 * 3).reshape(1, 3, 3, 3)
    turned = turn_and_flip(image.repeat(8, 1, 1, 1), torch.arange(8))
    assert torch.equal(turned[0], image[0])
    assert len({tuple(one.flatten().tolist()) for one in turned}) == 8
    assert all(torch.equal(one.flatten().sort().values, image.flatten().sort().values) for one in turned)


def test_each_image_is_turned_by_its_own_element():
    images = torch.randn(8, 3, 5, 5)
    together = turn_and_flip(images, torch.arange(8))
    for element in range(8):
        alone = turn_and_flip(images[element : element + 1], torch.tensor([element]))
        assert torch.equal(together[element], alone[0])


def test_numbers_are_uniform_and_depend_on_seed_and_epoch_alone():
    seeds = np.random.default_rng(0).integers(0, 2**62, 5000)
    numbers = draw_uniform(seeds, 3, 7)
    assert numbers.shape == (5000, 7)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    np.testing.assert_allclose(numbers.mean(axis=0), 0.5, atol=0.02)
    np.testing.assert_allclose(numbers.var(axis=0), 1 / 12, atol=0.005)
    assert np.abs(np.corrcoef(numbers.T) - np.eye(7)).max() < 0.06
    np.testing.assert_array_equal(draw_uniform(seeds[10:20], 3, 7), numbers[10:20])
    assert not np.allclose(draw_uniform(seeds, 4, 7), numbers)
    assert not np.allclose(draw_uniform(seeds + 1, 3, 7), numbers)


def test_stain_jitter_scales_densities():
    images = torch.full((1, 3, 2, 2), 0.5)
    half = torch.full((1, 6), 0.5)
    torch.testing.assert_close(jitter_stain(images, half, 0.3, 0.3), images)
    darkest = jitter_stain(images, torch.ones(1, 6), 0.2, 0.1)
    torch.testing.assert_close(
        darkest, 0.5 ** torch.tensor(1.2) * torch.exp(torch.tensor(-0.1)) * torch.ones_like(images)
    )


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_stain_jitter_stays_in_range(value):
    jittered = jitter_stain(torch.full((4, 3, 2, 2), value), torch.rand(4, 6), 0.9, 0.9)
    assert jittered.min() >= 0
    assert jittered.max() <= 1
