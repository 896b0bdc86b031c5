from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from medscale.training.batch_schedules import parse_schedule
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


def test_batches_of_one_are_given_where_asked_for():
    assert [len(batch) for batch in EpochBatches(5, 1, seed=0)] == [1] * 5


def test_a_schedule_cuts_the_same_order_into_other_batches():
    schedule = parse_schedule("t31/1-2-4", 10)
    grown = _draw(EpochBatches(9, schedule, seed=1), 10)
    single = _draw(EpochBatches(9, 1, seed=1), 10)
    assert [[len(batch) for batch in epoch] for epoch in grown] == [[1] * 9] * 8 + [[2] * 4, [4] * 2]
    for cut, whole in zip(grown, single, strict=True):
        samples = [sample for batch in cut for sample in batch]
        assert samples == [sample for batch in whole for sample in batch][: len(samples)]


def test_the_length_follows_the_epoch():
    batches = EpochBatches(9, parse_schedule("t31/1-2-4", 10), seed=1)
    lengths = []
    for epoch in range(10):
        batches.set_epoch(epoch)
        lengths.append(len(batches))
    assert lengths == [9] * 8 + [4, 2]
    assert batches.total(10) == sum(lengths)
    assert batches.varies
    assert not EpochBatches(9, parse_schedule("fixed/4", 10), seed=1).varies


@given(st.integers(1, 20), st.integers(1, 5), st.integers(1, 50))
def test_numbers_tell_each_use_of_a_sample_apart(samples, batch_size, samples_per_epoch):
    plain, numbered = (
        [
            index
            for epoch in _draw(EpochBatches(samples, batch_size, 0, samples_per_epoch, numbered=numbers), 4)
            for batch in epoch
            for index in batch
        ]
        for numbers in (False, True)
    )
    assert [number % samples for number in numbered] == plain
    assert len(set(numbered)) == len(numbered)
    # Passes follow one another.
    assert [number // samples for number in numbered] == sorted(number // samples for number in numbered)
