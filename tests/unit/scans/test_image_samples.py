import numpy as np
import torch

from medscale.scans.image_samples import image_samples, load_training, load_watched, mask_samples

IMAGES = np.arange(5 * 2 * 2, dtype=np.uint8).reshape(5, 2, 2)
LABELS = np.arange(5)


def test_a_list_of_numbers_is_a_batch_whatever_pass_they_are_of():
    samples = image_samples(IMAGES, LABELS, seed=4)
    batch = samples[[3, 0, 8]]
    assert batch.labels.tolist() == [3, 0, 3]
    assert batch.labels.dtype == torch.int64
    assert batch.images.dtype == torch.uint8
    np.testing.assert_array_equal(batch.images, IMAGES[[3, 0, 3]])
    # The second pass augments the same image in another way.
    assert len(set(batch.seeds.tolist())) == 3
    np.testing.assert_array_equal(samples[[8, 3]].seeds, batch.seeds[[2, 0]])
    assert image_samples(IMAGES, LABELS, seed=5)[[3]].seeds[0] != batch.seeds[0]


def test_masks_come_with_what_is_kept():
    kept = np.array([True, False, True, True, False])
    batch = mask_samples(IMAGES, IMAGES % 2, kept)[[1, 2]]
    np.testing.assert_array_equal(batch.masks, IMAGES[[1, 2]] % 2)
    assert batch.kept.tolist() == [False, True]
    assert batch.kept.dtype == torch.bool


def test_an_epoch_uses_every_sample_once_in_an_order_of_its_own():
    loader = load_training(image_samples(IMAGES, LABELS), 2, None, seed=0)
    epochs = []
    for epoch in range(2):
        loader.sampler.set_epoch(epoch)
        epochs.append([batch.labels.tolist() for batch in loader])
    # A batch of one sample alone would be of no use to batch norms.
    assert [len(batch) for batch in epochs[0]] == [2, 2]
    assert all(len(set(np.ravel(epoch))) == 4 for epoch in epochs)
    assert epochs[0] != epochs[1]
    again = load_training(image_samples(IMAGES, LABELS), 2, None, seed=0)
    assert [batch.labels.tolist() for batch in again] == epochs[0]


def test_an_epoch_may_draw_more_samples_than_there_are():
    loader = load_training(image_samples(IMAGES, LABELS), 5, 10, seed=0)
    assert [sorted(batch.labels.tolist()) for batch in loader] == [[0, 1, 2, 3, 4]] * 2


def test_what_is_watched_comes_in_order_with_its_last_sample():
    loader = load_watched(image_samples(IMAGES, LABELS), 2)
    assert [batch.labels.tolist() for batch in loader] == [[0, 1], [2, 3], [4]]
    assert load_watched(image_samples(IMAGES[:0], LABELS[:0]), 2) is None
