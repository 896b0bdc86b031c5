import numpy as np
import pytest

from medscale.files.tables import read_table, write_table
from medscale.scans.accuracy import summarise_accuracy
from medscale.scans.classification_table import (
    COLUMNS,
    CONFUSION_COLUMNS,
    tabulate_classification,
    tabulate_confusion,
)
from tests.unit.scans.scan_tables import BRAIN, make_sheet, predict, training

BREASTS, BRAINS = make_sheet(), make_sheet(BRAIN)
# Of each group one image is in train and one in the test.
LEAKING = BRAINS.assign(split=["train", "test"] * (len(BRAINS) // 2))
TRAININGS = [
    training("brain_mri", collection="brain_mri", network="strided_cnn"),
    training("brain_mri_unguarded", collection="brain_mri", network="strided_cnn", guarded=False),
    training("breast_ultrasound", network="strided_cnn"),
]
PREDICTIONS = {
    "brain_mri": [predict(BRAINS, 0.7, seed) for seed in range(2)],
    "brain_mri_unguarded": [predict(LEAKING, 0.9)],
    "breast_ultrasound": [predict(BREASTS, 0.6, seed) for seed in range(3)],
}


@pytest.fixture(scope="module")
def table():
    return tabulate_classification(TRAININGS, PREDICTIONS, 200, 0)


def test_a_row_for_each_training_with_its_counts(table):
    assert list(table.columns) == COLUMNS
    assert table["collection"].tolist() == ["brain_mri", "brain_mri", "breast_ultrasound"]
    assert table["divided_by"].tolist() == ["group", "image", "group"]
    assert table["seeds"].tolist() == [2, 1, 3]
    counts = table[["train_images", "validation_images", "test_images", "test_images_with_copy_in_train"]]
    assert counts.to_numpy().tolist() == [[24, 12, 12, 0], [24, 0, 24, 24], [36, 18, 18, 0]]


def test_scores_are_those_of_the_training(table):
    for row in table.to_dict("records"):
        name = row["collection"] + ("" if row["divided_by"] == "group" else "_unguarded")
        expected = summarise_accuracy(PREDICTIONS[name], 200, 0)
        assert {key: row[key] for key in expected} == pytest.approx(expected, nan_ok=True)


def test_the_report_stands_beside(table):
    reported = table[[name for name in COLUMNS if name.startswith("report_")]].to_numpy().tolist()
    assert reported == [[1, 1, 1], [1, 1, 1], [1, 0.8526, 0.904]]
    other = tabulate_classification([training("x", collection="other")], {"x": [predict(BREASTS, 1)]}, 20, 0)
    assert np.isnan(other["report_test_accuracy"][0])


def test_confusion_has_every_pair_of_classes_of_each_training():
    confusion = tabulate_confusion(TRAININGS, PREDICTIONS)
    assert list(confusion.columns) == CONFUSION_COLUMNS
    sums = confusion.groupby(["collection", "divided_by"], sort=False)["images"].agg(["sum", "size"])
    assert sums.to_numpy().tolist() == [[12, 4], [24, 4], [18, 9]]


def test_files_hold_the_same(table, tmp_path):
    write_table(table, tmp_path / "a.csv")
    again = read_table(tmp_path / "a.csv")
    assert again["test_accuracy_low"].tolist() == pytest.approx(table["test_accuracy_low"].tolist())
