from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from medscale.training.batches import EpochBatches


def _draw(batches, epochs):
    drawn = []
    for epoch in range(epochs):
        batches.set_epoch(epoch)
        drawn.append(list(batches))
    return drawn


@given(st.integers(3, 40), st.integers(2, 9), st.integers(2, 60))
def test_samples_are_used_equally_often(samples, batch_size, samples_per_epoch):
    batches = EpochBatches(samples, batch_size, 0, samples_per_epoch)
    used = Counter(index for epoch in _draw(batches, 5) for batch in epoch for index in batch)
    assert set(used) <= set(range(samples))
    # Singletons at the end of an epoch are dropped, at most one an epoch.
    assert max(used.values()) - min(used.get(index, 0) for index in range(samples)) <= 1 + 5


def test_an_epoch_uses_every_sample_once_and_another_order_each_time():
    first, second = _draw(EpochBatches(10, 4, seed=1), 2)
    assert [len(batch) for batch in first] == [4, 4, 2]
    assert sorted(index for batch in first for index in batch) == list(range(10))
    assert first != second


def test_a_resumed_epoch_is_that_of_an_undisturbed_run():
    undisturbed = _draw(EpochBatches(23, 4, seed=1, samples_per_epoch=9), 6)
    resumed = EpochBatches(23, 4, seed=1, samples_per_epoch=9)
    resumed.set_epoch(4)
    assert list(resumed) == undisturbed[4]
    assert _draw(EpochBatches(23, 4, seed=2, samples_per_epoch=9), 1) != undisturbed[:1]


def test_no_batch_holds_a_single_sample():
    assert [len(batch) for batch in EpochBatches(9, 4, seed=0)] == [4, 4]
