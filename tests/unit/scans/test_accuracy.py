import numpy as np
import pandas as pd
import pytest

from medscale.errors import InputError
from medscale.scans.accuracy import (
    COLUMNS,
    compare_accuracy,
    confuse_classes,
    split_by_copies,
    summarise_accuracy,
)
from tests.unit.scans.scan_tables import BRAIN, exact, make_sheet, predict

# Three benign images of train, one of the other classes; of the test, each class but benign twice.
SHEET = pd.DataFrame(
    [
        ("a", "a", "train", "normal"),
        ("b", "b", "train", "benign"),
        ("c", "c", "train", "benign"),
        ("d", "d", "train", "benign"),
        ("e", "e", "train", "malignant"),
        ("f", "f", "test", "normal"),
        ("g", "g", "test", "normal"),
        ("h", "h", "test", "benign"),
        ("i", "i", "test", "malignant"),
        ("j", "i", "test", "malignant"),
        ("k", "k", "validation", "benign"),
    ],
    columns=["image", "group", "split", "class"],
)
N, B, M = "normal", "benign", "malignant"
FIRST = exact(SHEET, [N, B, B, B, M, N, B, M, M, B, N])
SECOND = exact(SHEET, [N, B, B, B, B, N, N, B, M, M, N])


def test_accuracies_by_hand():
    summary = summarise_accuracy([FIRST, SECOND], 200, 0)
    assert list(summary) == COLUMNS
    # Of 5 of train: 5 and 4. Of 5 of test: f and i; then all.
    assert summary["train_accuracy"] == pytest.approx(0.9)
    assert summary["test_accuracy"] == pytest.approx(0.7)
    assert summary["test_accuracy_sd"] == pytest.approx(np.std([0.4, 1.0], ddof=1))
    # Tumour or none: of the first all but g, since malignant for benign is a tumour too.
    assert summary["test_detection_accuracy"] == pytest.approx(0.9)
    assert summary["train_detection_accuracy"] == 1
    assert summary["test_accuracy_low"] < 0.7 < summary["test_accuracy_high"]


def test_floors_answer_what_is_frequent_in_train():
    summary = summarise_accuracy([FIRST], 200, 0)
    # Benign is right for h alone; a tumour for three of five.
    assert summary["floor_accuracy"] == pytest.approx(0.2)
    assert summary["floor_detection_accuracy"] == pytest.approx(0.6)
    assert 0 <= summary["floor_accuracy_low"] <= 0.2 <= summary["floor_accuracy_high"] < 1


def test_the_order_of_images_and_seeds_changes_nothing():
    shuffled = SECOND.sample(frac=1, random_state=1)
    assert summarise_accuracy([shuffled, FIRST], 200, 3) == pytest.approx(
        summarise_accuracy([FIRST, SECOND], 200, 3)
    )


def test_one_seed_has_no_spread():
    assert np.isnan(summarise_accuracy([FIRST], 50, 0)["test_accuracy_sd"])


def test_two_classes_are_detected_as_well_as_told_apart():
    runs = [predict(make_sheet(BRAIN), 0.7, seed) for seed in range(2)]
    summary = summarise_accuracy(runs, 100, 0)
    for ending in ("", "_low", "_high", "_sd"):
        assert summary[f"test_accuracy{ending}"] == summary[f"test_detection_accuracy{ending}"]
    assert 0 < summary["test_accuracy"] < 1


def test_without_tumour_free_images_there_is_nothing_to_detect():
    summary = summarise_accuracy([predict(make_sheet(("benign", "malignant")), 0.7)], 100, 0)
    detections = [value for name, value in summary.items() if "detection" in name]
    assert len(detections) == 11
    assert np.isnan(detections).all()
    assert summary["floor_accuracy"] == 0.5


def test_confusion_is_the_mean_over_seeds():
    confusion = confuse_classes([FIRST, SECOND]).set_index(["true", "predicted"])["images"]
    assert confusion.index.tolist() == [(true, predicted) for true in (N, B, M) for predicted in (N, B, M)]
    assert confusion[N, N] == 1.5
    assert confusion[N, B] == 0.5
    assert confusion[B, M] == 0.5
    assert confusion[M, M] == 1.5
    assert confusion.sum() == 5


def test_a_difference_is_taken_image_by_image():
    difference = compare_accuracy([SECOND], [FIRST], 500, 0)
    assert difference["difference"] == pytest.approx(0.6)
    # Of four groups three are better, so that no draw is worse.
    assert difference["difference_low"] >= 0
    nothing = compare_accuracy([FIRST], [FIRST], 500, 0)
    assert list(nothing.values()) == [0, 0, 0]


def test_predictions_of_other_images_are_refused():
    with pytest.raises(InputError, match=r"predictions of a classifier.*different images"):
        summarise_accuracy([FIRST, SECOND[1:]], 10, 0)
    with pytest.raises(InputError, match="different images"):
        compare_accuracy([FIRST], [SECOND.assign(split="test")], 10, 0)


def test_copies_are_judged_apart():
    leaking = SHEET.assign(group=SHEET["group"].replace({"f": "a", "i": "e"}))
    runs = [
        exact(leaking, [N, B, B, B, M, N, B, B, M, N, B]),
        exact(leaking, [N, B, B, B, M, N, N, M, M, M, B]),
    ]
    numbers = split_by_copies(runs, 100, 0)
    # f, i and j have a copy: 2 and 3 of 3 are right; of g and h, 1 and 1 of 2.
    assert numbers["test_accuracy_with_copy"] == pytest.approx(5 / 6)
    assert numbers["test_accuracy_without_copy"] == pytest.approx(1 / 2)
    assert numbers["test_accuracy_with_copy_low"] <= 5 / 6 <= numbers["test_accuracy_with_copy_high"]


def test_without_copies_nothing_is_said_of_them():
    numbers = split_by_copies([exact(SHEET, SHEET["class"].tolist())], 100, 0)
    assert np.isnan(numbers["test_accuracy_with_copy"])
    assert numbers["test_accuracy_without_copy"] == 1
