import numpy as np
import pytest

from medscale.scans.predictions import find_emptied, tabulate_predictions
from tests.unit.scans.prepared_scans import draw_scans

CLASSES = ["normal", "benign", "malignant"]


def test_the_most_probable_class_is_predicted_and_the_first_of_equal_ones():
    _, sheet = draw_scans()
    rows = sheet.iloc[[20, 3, 9]]
    table = tabulate_predictions(rows, CLASSES, np.array([[0.2, 0.3, 0.5], [0.4, 0.4, 0.2], [0.1, 0.9, 0]]))
    assert table.columns.tolist() == [
        *("image", "group", "split", "class", "predicted"),
        *("p_normal", "p_benign", "p_malignant"),
    ]
    assert table["image"].tolist() == ["malignant_4", "normal_3", "benign_1"]
    assert table["split"].tolist() == ["validation", "train", "train"]
    assert table["predicted"].tolist() == ["malignant", "normal", "benign"]
    assert table["p_benign"].tolist() == [0.3, 0.4, 0.9]
    assert table.index.tolist() == [0, 1, 2]


def test_images_that_are_called_tumour_free_are_emptied():
    _, sheet = draw_scans()
    rows = sheet.iloc[[20, 3, 9]]
    table = tabulate_predictions(rows, CLASSES, np.array([[0.9, 0, 0.1], [0, 1, 0], [0.6, 0.3, 0.1]]))
    assert find_emptied(table, ["normal"]) == ["malignant_4", "benign_1"]
    assert find_emptied(table, []) == []


def test_a_probability_for_each_class_is_needed():
    _, sheet = draw_scans()
    with pytest.raises(ValueError, match="zip"):
        tabulate_predictions(sheet.iloc[:2], CLASSES, np.ones((2, 2)))
