import numpy as np
import torch

from medscale.training.augmentation import draw_uniform
from medscale.training.scan_feeds import ImageBatch, ImageFeed, VolumeBatch, VolumeFeed
from medscale.training.spatial_augmentation import SpatialAugmentation

CPU = torch.device("cpu")
SEEDS = np.random.default_rng(0).integers(0, 2**62, 32)


def _image_batch(count=32):
    images = torch.arange(count * 12).reshape(count, 3, 4).to(torch.uint8)
    return ImageBatch(images, torch.arange(count) % 2, SEEDS[:count])


def _volume_batch(count=32):
    images = torch.randn(count, 2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    return VolumeBatch(images, torch.arange(2.0 * count).reshape(count, 2), torch.arange(count) % 2, SEEDS)


def test_grey_images_have_one_channel_and_lie_between_0_and_1():
    batch = _image_batch()
    (images,) = ImageFeed().watch(batch)
    assert images.shape == (32, 1, 3, 4)
    assert images.dtype == torch.float32
    torch.testing.assert_close(images[:, 0] * 255, batch.images.float())
    assert torch.equal(ImageFeed().train(batch, 3)[0], images)


def test_images_move_in_training_alone_by_seed_and_epoch():
    batch, feed = _image_batch(), ImageFeed(SpatialAugmentation())
    moved = feed.train(batch, 1)[0]
    expected = SpatialAugmentation().move_images(batch.images.float() / 255, SEEDS, 1)
    assert torch.equal(moved[:, 0], expected)
    assert not torch.equal(moved, feed.train(batch, 2)[0])
    assert torch.equal(feed.watch(batch)[0], ImageFeed().watch(batch)[0])


def test_a_flip_mirrors_the_first_axis_of_space_in_half_of_the_volumes():
    batch = _volume_batch()
    images, scores = VolumeFeed(flip=True).train(batch, 4)
    flipped = draw_uniform(SEEDS, 4, 1)[:, 0] < 0.5
    assert 8 < flipped.sum() < 24
    for sample in range(32):
        expected = batch.images[sample].flip(1) if flipped[sample] else batch.images[sample]
        assert torch.equal(images[sample], expected)
    assert scores is batch.scores


def test_another_epoch_flips_others():
    batch, feed = _volume_batch(), VolumeFeed(flip=True)
    assert torch.equal(feed.train(batch, 0)[0], feed.train(batch, 0)[0])
    assert not torch.equal(feed.train(batch, 0)[0], feed.train(batch, 1)[0])


def test_volumes_are_watched_as_they_are():
    batch = _volume_batch()
    for images, scores in (VolumeFeed(flip=True).watch(batch), VolumeFeed().train(batch, 0)):
        assert images is batch.images
        assert scores is batch.scores


def test_batches_know_their_length_and_travel_whole():
    for batch in (_image_batch(), _volume_batch()):
        assert len(batch) == 32
        there = batch.to(torch.device("meta"))
        assert {value.device.type for value in vars(there).values() if torch.is_tensor(value)} == {"meta"}
        assert there.labels.shape == (32,)
        assert there.seeds is batch.seeds
