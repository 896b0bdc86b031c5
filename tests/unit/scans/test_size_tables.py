import numpy as np
import pytest

from medscale.scans.accuracy import summarise_accuracy
from medscale.scans.size_tables import (
    DATA_COLUMNS,
    IMAGE_COLUMNS,
    tabulate_data_sizes,
    tabulate_image_sizes,
)
from tests.unit.scans.scan_tables import (
    empty_outline,
    make_sheet,
    mask_training,
    outline,
    predict,
    renamed,
    training,
)

# Of each class, 6 groups of 2 images in train.
SHEET = make_sheet()


def test_rows_by_network_and_share_with_the_images_that_were_learnt_from():
    trainings = [
        training("b_1", network="b", share=1.0),
        training("b_0.5", network="b", share=0.5),
        training("a_0.01", network="a", share=0.01),
    ]
    predictions = {
        one.name: [predict(SHEET, 0.5 + one.share / 3, seed) for seed in range(2)] for one in trainings
    }
    table = tabulate_data_sizes(trainings, predictions, [7, 8, 9], 100, 0)
    assert list(table.columns) == DATA_COLUMNS
    assert table[["network", "share", "train_images"]].to_numpy().tolist() == [
        ["b", 0.5, 18.0],
        ["b", 1.0, 36.0],
        # One group of each class at least.
        ["a", 0.01, 6.0],
    ]
    assert table["test_images"].tolist() == [18] * 3
    expected = summarise_accuracy(predictions["b_0.5"], 100, 0)
    assert table["test_accuracy_high"][0] == expected["test_accuracy_high"]
    assert table["floor_accuracy"].tolist() == pytest.approx([1 / 3] * 3)


def test_images_are_counted_by_the_seeds_that_drew_them():
    # Groups of different sizes, so that draws differ in their numbers of images.
    sheet = SHEET[~SHEET["image"].isin([f"benign{number}_1" for number in (0, 1, 4)])]
    trainings = [training("a", share=0.5)]
    runs = {"a": [predict(sheet, 0.5, seed) for seed in range(2)]}
    counts = [tabulate_data_sizes(trainings, runs, [n, n], 10, 0)["train_images"][0] for n in range(6)]
    assert len(set(counts)) > 1
    mixed = tabulate_data_sizes(trainings, runs, [0, 1], 10, 0)["train_images"][0]
    assert mixed == (counts[0] + counts[1]) / 2


def test_names_of_digits_are_counted_as_they_were_drawn():
    numbered = SHEET.assign(group=SHEET["group"].astype("category").cat.codes + 5)
    text = numbered.assign(group=numbered["group"].astype(str))
    text = text[~text["image"].isin([f"benign{number}_1" for number in (0, 1, 4)])]
    read_back = text.assign(group=text["group"].astype(int))
    counts = [
        [
            tabulate_data_sizes([training("a", share=0.5)], {"a": [predict(sheet, 1)]}, [seed], 10, 0)[
                "train_images"
            ][0]
            for seed in range(6)
        ]
        for sheet in (text, read_back)
    ]
    assert counts[0] == counts[1]


def test_classifiers_and_outlines_by_the_size_of_images():
    classifiers = [training(f"c{size}", network="strided_cnn", size_px=size) for size in (64, 32)]
    outliners = [renamed(mask_training("dice"), name=f"u{size}", size_px=size) for size in (64, 32)]
    predictions = {one.name: [predict(SHEET, 0.7, seed) for seed in range(2)] for one in classifiers}
    scores = {one.name: [outline(SHEET, one.size_px / 100, seed) for seed in range(3)] for one in outliners}
    empty = {64: empty_outline(SHEET)}
    table = tabulate_image_sizes(classifiers, predictions, outliners, scores, empty, 100, 0)
    assert list(table.columns) == IMAGE_COLUMNS
    assert table["network"].tolist() == ["strided_cnn"] * 2 + ["unet"] * 2
    assert table["size_px"].tolist() == [32, 64, 32, 64]
    assert table["seeds"].tolist() == [2, 2, 3, 3]
    assert table["loss"].tolist()[2:] == ["dice", "dice"]
    means = [one.loc[one["split"] == "test", "iou"].mean() for one in scores["u64"]]
    assert table["test_iou"][3] == pytest.approx(np.mean(means))
    assert table["test_iou_original"][3] == pytest.approx(0.9 * np.mean(means))
    assert table["test_iou_low"][3] < table["test_iou"][3] < table["test_iou_high"][3]
    assert table["floor_iou"][3] == pytest.approx(1 / 3)
    assert table.loc[:1, "test_iou"].isna().all()
    assert table.loc[2:, "test_accuracy"].isna().all()
    assert np.isnan(table["floor_iou"][2])
