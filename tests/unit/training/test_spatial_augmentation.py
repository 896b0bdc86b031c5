import math

import numpy as np
import pytest
import torch

from medscale.training.spatial_augmentation import SpatialAugmentation

STILL = SpatialAugmentation(flip=False, rotation_deg=0, zoom=0, shift=0)
SEEDS = np.random.default_rng(0).integers(0, 2**62, 64)


def _blob(size=64, row=20, column=40, radius=6):
    rows, columns = np.mgrid[:size, :size]
    return torch.from_numpy((np.hypot(rows - row, columns - column) <= radius).astype(np.float32))


def _centre(image):
    rows, columns = torch.meshgrid(*(torch.arange(float(n)) for n in image.shape), indexing="ij")
    return (image * rows).sum() / image.sum(), (image * columns).sum() / image.sum()


def _moved(settings, uniform, image):
    """Apply one map that is drawn from given numbers."""
    maps = settings.draw_maps(np.array([uniform]), image.shape[0] / image.shape[1])
    grid = torch.nn.functional.affine_grid(maps, [1, 1, *image.shape], align_corners=False)
    return torch.nn.functional.grid_sample(image[None, None], grid, align_corners=False)[0, 0]


def test_without_any_range_nothing_moves():
    images, labels = torch.rand(3, 16, 16), torch.randint(0, 3, (3, 16, 16), dtype=torch.uint8)
    moved, moved_labels = STILL.apply(images, labels, SEEDS[:3], 0)
    torch.testing.assert_close(moved, images, atol=1e-5, rtol=0)
    assert torch.equal(moved_labels, labels)
    assert moved_labels.dtype == torch.uint8


@pytest.mark.parametrize("shape", [(4, 24, 32), (4, 3, 24, 32)])
def test_images_alone_move_as_they_do_with_labels(shape):
    images = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    settings = SpatialAugmentation()
    moved = settings.move_images(images, SEEDS[:4], 2)
    assert torch.equal(moved, settings.apply(images, (images > 0.5).byte(), SEEDS[:4], 2)[0])
    assert not torch.allclose(moved, images, atol=0.01)


def test_a_flip_exchanges_left_and_right_in_half_of_the_samples():
    images = torch.rand(1, 16, 16).expand(64, 16, 16)
    settings = SpatialAugmentation(rotation_deg=0, zoom=0, shift=0)
    moved, labels = settings.apply(images, (images > 0.5).byte(), SEEDS, 3)
    flipped = [torch.allclose(one, images[0].flip(-1), atol=1e-5) for one in moved]
    kept = [torch.allclose(one, images[0], atol=1e-5) for one in moved]
    assert all(one != other for one, other in zip(flipped, kept, strict=True))
    assert 20 < sum(flipped) < 44
    assert torch.equal(labels, (moved > 0.5).byte())


@pytest.mark.parametrize("size", [64, 128])
def test_a_shift_is_a_share_of_the_edge(size):
    """10 of 128 pixels, to both sides and along both axes."""
    settings = SpatialAugmentation(flip=False, rotation_deg=0, zoom=0)
    image = _blob(size, size // 2, size // 2)
    row, column = _centre(_moved(settings, [0.9, 0.5, 0.5, 1.0, 0.0], image))
    assert column.item() == pytest.approx(size // 2 - 10 * size / 128, abs=0.01)
    assert row.item() == pytest.approx(size // 2 + 10 * size / 128, abs=0.01)


@pytest.mark.parametrize("shape", [(64, 64), (64, 96)])
@pytest.mark.parametrize(("number", "degrees"), [(1.0, 5.0), (0.0, -5.0), (0.75, 2.5)])
def test_a_turn_keeps_distances_and_has_its_angle(shape, number, degrees):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    middle = (np.array(shape) - 1) / 2
    place = middle + np.array([-16, 10])
    image = torch.from_numpy((np.hypot(rows - place[0], columns - place[1]) <= 5).astype(np.float32))
    settings = SpatialAugmentation(flip=False, zoom=0, shift=0)
    row, column = _centre(_moved(settings, [0.9, number, 0.5, 0.5, 0.5], image))
    down, across = row.item() - middle[0], column.item() - middle[1]
    assert math.hypot(down, across) == pytest.approx(math.hypot(16, 10), abs=0.05)
    turned = math.degrees(math.atan2(-16, 10) - math.atan2(down, across))
    assert turned == pytest.approx(degrees, abs=0.1)


@pytest.mark.parametrize(("number", "factor"), [(1.0, 1.05), (0.0, 0.95)])
def test_a_zoom_changes_areas_by_its_square(number, factor):
    settings = SpatialAugmentation(flip=False, rotation_deg=0, shift=0)
    image = _blob(64, 32, 32, 20)
    moved = _moved(settings, [0.9, 0.5, number, 0.5, 0.5], image)
    assert moved.sum().item() / image.sum().item() == pytest.approx(factor**2, rel=0.01)


def test_labels_move_with_their_image_and_all_slices_of_a_block_alike():
    image = _blob()
    images = image.expand(8, 5, 64, 64) * torch.linspace(0.2, 1, 5)[:, None, None]
    labels = (2 * image.byte()).expand(8, 5, 64, 64)
    moved, moved_labels = SpatialAugmentation().apply(images, labels, SEEDS[:8], 0)
    assert set(moved_labels.unique().tolist()) == {0, 2}
    for picture, label in zip(moved, moved_labels, strict=True):
        assert torch.equal(label, label[:1].expand_as(label))
        torch.testing.assert_close(
            picture / torch.linspace(0.2, 1, 5)[:, None, None], picture[-1:].expand_as(picture)
        )
        for ours, theirs in zip(_centre(picture[-1]), _centre(label[0].float()), strict=True):
            assert ours.item() == pytest.approx(theirs.item(), abs=0.25)


def test_each_sample_moves_by_its_own_seed_and_epoch_alone():
    images = _blob().expand(16, 64, 64)
    labels = images.byte()
    together, _ = SpatialAugmentation().apply(images, labels, SEEDS[:16], 2)
    alone, _ = SpatialAugmentation().apply(images[5:6], labels[5:6], SEEDS[5:6], 2)
    torch.testing.assert_close(together[5], alone[0], atol=1e-6, rtol=0)
    assert len({round(_centre(one)[0].item(), 3) for one in together}) == 16
    later, _ = SpatialAugmentation().apply(images[5:6], labels[5:6], SEEDS[5:6], 3)
    assert not torch.allclose(later[0], alone[0], atol=0.1)


def test_what_comes_in_is_air_and_background():
    images, labels = torch.ones(32, 16, 16), torch.ones(32, 16, 16, dtype=torch.uint8)
    moved, moved_labels = SpatialAugmentation().apply(images, labels, SEEDS[:32], 0)
    border = moved[:, [0, -1]].flatten(1)
    assert (border.min(dim=1).values < 0.5).float().mean() > 0.5
    assert moved.min() == 0
    assert moved_labels.min() == 0
    assert moved.max() <= 1 + 1e-6
