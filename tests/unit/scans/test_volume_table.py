"""The table of what images, age and sex tell."""

import numpy as np
import pandas as pd
import pytest

from medscale.errors import InputError
from medscale.scans.volume_table import COLUMNS, VolumeRun, compare_inputs

SUBJECTS = 40


def _table(right):
    """Predictions for 20 training and 20 test subjects, of whom these are right; 12 of train are controls."""
    numbers = np.arange(SUBJECTS)
    labels = np.where((numbers < 12) | ((numbers >= 20) & (numbers % 2 == 0)), "control", "patient")
    other = np.where(labels == "control", "patient", "control")
    split = np.where(numbers < 20, "train", "test")
    columns = {"subject": [f"s{n:02d}" for n in numbers], "split": split, "class": labels}
    return pd.DataFrame(columns | {"predicted": np.where(right, labels, other)})


def _right(test, seed):
    """All training subjects, and this many of the 20 test subjects."""
    right = np.ones(SUBJECTS, bool)
    right[20:] = np.random.default_rng(seed).permutation(20) < test
    return right


RUNS = [VolumeRun("both", 0), VolumeRun("image", 0), VolumeRun("both", 1), VolumeRun("image", 1)]
RIGHT = [_right(18, 0), _right(14, 1), _right(16, 2), _right(12, 3)]


@pytest.fixture(scope="module")
def compared():
    return compare_inputs(RUNS, [_table(right) for right in RIGHT], 2000, 5)


def _row(compared, inputs):
    return compared[compared["inputs"] == inputs].iloc[0]


def test_rows_stand_in_one_order_with_the_floor_below(compared):
    assert list(compared.columns) == COLUMNS
    assert compared["inputs"].tolist() == ["image", "both", "majority"]
    assert compared["seeds"].tolist() == [2, 2, pd.NA]
    assert set(compared["train_subjects"]) == set(compared["test_subjects"]) == {20}


def test_accuracies_are_means_over_subjects_and_seeds(compared):
    image, both = _row(compared, "image"), _row(compared, "both")
    assert (image["test_accuracy"], both["test_accuracy"]) == (pytest.approx(0.65), pytest.approx(0.85))
    assert image["test_accuracy_sd"] == pytest.approx(0.1 / np.sqrt(2))
    assert (both["train_accuracy"], both["train_accuracy_low"]) == (1, 1)
    # A difference of means is the mean of differences.
    assert image["test_difference_to_both"] == pytest.approx(-0.2)
    assert np.isnan(both["test_difference_to_both"])


def test_the_floor_always_says_the_most_frequent_class_of_train(compared):
    floor = _row(compared, "majority")
    assert floor["train_accuracy"] == pytest.approx(12 / 20)
    assert floor["test_accuracy"] == pytest.approx(10 / 20)
    assert floor["test_difference_to_both"] == pytest.approx(-0.35)
    assert np.isnan(floor["test_accuracy_sd"])


def test_intervals_equal_a_plain_bootstrap_of_subjects(compared):
    rng = np.random.default_rng(0)
    image, both = (np.mean([RIGHT[n][20:] for n in own], axis=0) for own in ((1, 3), (0, 2)))
    drawn = rng.integers(0, 20, (4000, 20))
    row = _row(compared, "image")
    for name, values in (("test_accuracy", image), ("test_difference_to_both", image - both)):
        ends = np.quantile(values[drawn].mean(axis=1), [0.025, 0.975])
        assert [row[f"{name}_low"], row[f"{name}_high"]] == pytest.approx(ends, abs=0.03)


def test_the_order_of_subjects_and_runs_changes_no_number(compared):
    shuffled = [_table(right).sample(frac=1, random_state=3) for right in RIGHT[::-1]]
    pd.testing.assert_frame_equal(compare_inputs(RUNS[::-1], shuffled, 2000, 5), compared)
    few = [compare_inputs(RUNS, shuffled[::-1], 20, seed) for seed in range(3)]
    assert any(not few[0].equals(other) for other in few[1:])


def test_without_runs_of_both_there_is_no_difference():
    table = compare_inputs([VolumeRun("demographics", 0)], [_table(RIGHT[0])], 100, 0)
    assert table["inputs"].tolist() == ["demographics", "majority"]
    assert table[[name for name in COLUMNS if "difference" in name]].isna().all(axis=None)
    assert table["test_accuracy_sd"].isna().all()


def test_runs_that_cannot_be_compared_are_refused():
    with pytest.raises(InputError, match="predictions for subjects"):
        compare_inputs(RUNS[:2], [_table(RIGHT[0]), _table(RIGHT[1])[1:]], 100, 0)
    with pytest.raises(InputError, match="predictions for subjects"):
        compare_inputs([], [], 100, 0)
    with pytest.raises(InputError, match="inputs scores; expected some of image, demographics, both"):
        compare_inputs([VolumeRun("scores", 0)], [_table(RIGHT[0])], 100, 0)
