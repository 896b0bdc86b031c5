import pytest
from hypothesis import given
from hypothesis import strategies as st

from medscale.errors import InputError
from medscale.training.batch_schedules import parse_schedule

# The thesis, section 3.3.1, for its 100 epochs: the first epoch (from 0) of each size.
OF_100_EPOCHS = {
    "fixed/16": {0: 16},
    "t31/1": {0: 1},
    "t31/1-2": {0: 1, 90: 2},
    "t31/1-4": {0: 1, 90: 4},
    "t31/1-2-4": {0: 1, 90: 2, 95: 4},
    "t32/1": {0: 1},
    "t32/1-2": {0: 1, 95: 2},
    "t32/1-4": {0: 1, 90: 2, 95: 4},
    "t32/1-8": {0: 1, 85: 2, 90: 4, 95: 8},
    "t32/1-16": {0: 1, 80: 2, 85: 4, 90: 8, 95: 16},
    "t32/1-32": {0: 1, 75: 2, 80: 4, 85: 8, 90: 16, 95: 32},
    "t32/1-64": {0: 1, 70: 2, 75: 4, 80: 8, 85: 16, 90: 32, 95: 64},
    "t32/32-128": {0: 32, 90: 64, 95: 128},
}
NAMES = st.one_of(
    st.builds("t32/{}-{}".format, st.just(3), st.sampled_from([6, 12, 24, 96])),
    st.sampled_from(["fixed/7", "t31/2-5", "t31/1-2-4", "t32/1-64"]),
)


@pytest.mark.parametrize("name", OF_100_EPOCHS)
def test_the_schedules_of_the_thesis(name):
    schedule = parse_schedule(name, 100)
    expected, size = [], None
    for epoch in range(100):
        size = OF_100_EPOCHS[name].get(epoch, size)
        expected.append(size)
    assert [schedule.size(epoch) for epoch in range(100)] == expected
    assert (schedule.first, schedule.largest) == (expected[0], expected[-1])
    assert schedule.shared_epochs == expected.count(expected[0])


@pytest.mark.parametrize(
    ("name", "epochs", "begins"),
    [
        ("t31/1-2-4", 40, {36: 2, 38: 4}),
        ("t31/1-4", 30, {27: 4}),
        ("t32/1-8", 20, {17: 2, 18: 4, 19: 8}),
        ("t32/1-8", 50, {42: 2, 45: 4, 47: 8}),  # 7.5, 5 and 2.5 epochs before the end
        ("t31/1-2-4", 5, {3: 2, 4: 4}),
        ("t32/1-64", 7, {1: 2, 2: 4, 3: 8, 4: 16, 5: 32, 6: 64}),
    ],
)
def test_other_numbers_of_epochs_scale_the_steps(name, epochs, begins):
    assert dict(parse_schedule(name, epochs).steps[1:]) == begins


@given(NAMES, st.integers(7, 300))
def test_every_size_holds_for_an_epoch_at_least_and_none_is_smaller_than_before(name, epochs):
    schedule = parse_schedule(name, epochs)
    sizes = [schedule.size(epoch) for epoch in range(epochs)]
    assert sizes == sorted(sizes)
    assert set(sizes) == {size for _, size in schedule.steps}
    assert sizes.count(schedule.first) == schedule.shared_epochs
    if name.startswith("t32"):
        assert all(2 * size in sizes for size in set(sizes) - {schedule.largest})


def test_the_growth_takes_the_same_share_of_long_trainings():
    shares = [1 - parse_schedule("t32/1-64", epochs).shared_epochs / epochs for epochs in (100, 200, 1000)]
    assert shares == pytest.approx([0.3, 0.3, 0.3])


def test_the_text_names_the_end_of_each_size():
    assert parse_schedule("t31/1-2-4", 100).text == "1 to epoch 90, 2 to epoch 95, 4 to epoch 100"
    assert parse_schedule("fixed/8", 20).text == "8 to epoch 20"


def test_the_learning_rate_that_replaces_growth_keeps_the_noise():
    schedule = parse_schedule("t32/4-32", 40)
    for epoch in range(40):
        # Rate over batch size: of the smaller rate with the first size, of the full rate with the grown.
        kept = schedule.learning_rate_factor(epoch) / schedule.first
        assert kept == pytest.approx(1 / schedule.size(epoch))


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "16",
            "fixed",
            "fixed/0",
            "fixed/-1",
            "fixed/1-2",
            "t33/1-2",
            "t31/1-2-4-8",
            "t31/2-2",
            "t31/4-2",
        ),
        *("t31/1-4-2", "t32/1-3", "t32/1-2-4", "t32/4-1", "t32/2-2", "t32/3-8", "t32/1-2+decay", "t32/01-2"),
    ],
)
def test_other_names_are_refused(name):
    with pytest.raises(InputError, match="t32/A-B where B is A doubled"):
        parse_schedule(name, 100)


@pytest.mark.parametrize(
    ("name", "least"), [("t31/1-2", 3), ("t31/1-2-4", 3), ("t32/1-2", 2), ("t32/1-64", 7)]
)
def test_too_few_epochs_for_the_growth_are_refused(name, least):
    assert parse_schedule(name, least).size(0) == 1
    with pytest.raises(InputError, match=f"found {least - 1} epochs"):
        parse_schedule(name, least - 1)


def test_names_become_file_names():
    assert parse_schedule("t31/1-2-4", 100).file_name == "t31_1-2-4"
