import numpy as np
import pandas as pd
import pytest

from medscale.errors import InputError
from medscale.scans.hurt_table import COLUMNS as HURT_COLUMNS
from medscale.scans.hurt_table import list_hurt
from medscale.scans.mask_scores import COLUMNS as SCORES
from medscale.scans.segmentation_table import COLUMNS, lay_out_as_reported, tabulate_segmentation
from tests.unit.scans.scan_tables import both_aids, empty_outline, make_sheet, mask_training, outline

# image, group, split, class, called_normal, IoU without and with aid.
ROWS = [
    ("a", "train", "normal", True, 0.0, 1.0),
    ("b", "train", "benign", False, 0.5, 0.5),
    ("c", "test", "normal", True, 0.0, 1.0),
    ("d", "test", "normal", True, 1.0, 1.0),
    ("e", "test", "normal", False, 0.0, 0.0),
    ("f", "test", "benign", True, 0.8, 0.0),
    ("g", "test", "malignant", True, 0.0, 0.0),
    ("h", "test", "malignant", False, 0.6, 0.6),
]
AIDED = [1, 0.7, 1, 1, 0, 0, 0, 0.9]


def scored(rows=ROWS, aided=None):
    table = pd.DataFrame(rows, columns=["image", "split", "class", "called_normal", "iou", "iou_aided"])
    table["group"] = table["image"]
    if aided:
        table["iou_aided"] = aided
    for name in ("dice", "iou_original"):
        table[name], table[f"{name}_aided"] = table["iou"] / 2, table["iou_aided"] / 2
    return table[SCORES]


EMPTY = scored().assign(called_normal=False, iou=(scored()["class"] == "normal").astype(float))
BY_HAND = {
    "unet_dice_plain": [scored()],
    "unet_dice_aided": [scored(aided=AIDED)],
}


@pytest.fixture(scope="module")
def table():
    return tabulate_segmentation(both_aids("dice"), BY_HAND, EMPTY, 300, 0)


def test_a_row_for_each_aid_and_the_floor(table):
    assert list(table.columns) == COLUMNS
    assert table["loss"].tolist() == ["dice"] * 3 + ["empty_mask"]
    assert table["aid"].tolist() == ["none", "prediction", "training", "none"]
    assert table["train_images"].tolist() == [2] * 4
    assert table["test_images"].tolist() == [6] * 4


def test_means_by_hand(table):
    assert table["train_iou"].tolist() == pytest.approx([0.25, 0.75, 0.85, 0.5])
    assert table["test_iou"].tolist() == pytest.approx([2.4 / 6, 2.6 / 6, 2.9 / 6, 3 / 6])
    assert table["test_dice"][1] == pytest.approx(1.3 / 6)
    assert table["test_iou_original"][2] == pytest.approx(2.9 / 12)
    assert table["test_iou_with_tumour"].tolist() == pytest.approx([1.4 / 3, 0.2, 0.3, 0])
    assert table["test_iou_without_tumour"].tolist() == pytest.approx([1 / 3, 2 / 3, 2 / 3, 1])


def test_the_gain_over_no_aid_is_paired(table):
    assert table["test_difference"].tolist() == pytest.approx([np.nan, 0.2 / 6, 0.5 / 6, np.nan], nan_ok=True)
    low, high = table.loc[1, ["test_difference_low", "test_difference_high"]]
    assert low < 0 < high
    assert low > -0.8


def test_what_was_emptied_helped_or_hurt(table):
    counts = table.loc[1:2, ["test_emptied", "test_helped", "test_hurt"]]
    # c is helped; d is right already, and g was missed already; f is hurt.
    assert counts.iloc[0].tolist() == [4, 1, 1]
    assert table.loc[0, ["test_emptied", "test_helped"]].isna().all()


def test_the_report_stands_beside_its_own_aid(table):
    assert table["report_test_iou"].tolist() == pytest.approx([0.54007, np.nan, 0.57291, np.nan], nan_ok=True)
    assert table["report_train_iou"][2] == 0.7584


def test_the_layout_of_the_report(table):
    laid = lay_out_as_reported(table).set_index("loss")
    assert laid.loc["dice"].to_dict() == pytest.approx(
        {
            "train": 0.25,
            "test": 0.4,
            "train_aid": 0.85,
            "test_aid": 2.9 / 6,
            "report_train": 0.71729,
            "report_test": 0.54007,
            "report_train_aid": 0.7584,
            "report_test_aid": 0.57291,
        }
    )
    assert laid.at["empty_mask", "test"] == 0.5
    assert np.isnan(laid.at["empty_mask", "test_aid"])


def test_seeds_are_averaged_and_their_spread_told():
    sheet = make_sheet()
    runs = {"unet_mse_plain": [outline(sheet, 0.4, seed) for seed in range(3)]}
    table = tabulate_segmentation([mask_training("mse")], runs, empty_outline(sheet), 100, 0)
    means = [one.loc[one["split"] == "test", "iou"].mean() for one in runs["unet_mse_plain"]]
    assert table["test_iou"][0] == pytest.approx(np.mean(means))
    assert table["test_iou_sd"][0] == pytest.approx(np.std(means, ddof=1))
    assert table["seeds"].tolist()[:1] == [3]
    # Only the plain network was trained.
    assert table["aid"].tolist() == ["none", "prediction", "none"]
    assert table["test_iou_low"][0] < table["test_iou"][0] < table["test_iou_high"][0]


def test_losses_on_other_images_are_refused():
    runs = BY_HAND | {"unet_dice_aided": [scored(ROWS[:-1])]}
    with pytest.raises(InputError, match="different images"):
        tabulate_segmentation(both_aids("dice"), runs, EMPTY, 10, 0)


def test_tumours_that_were_called_normal_are_listed():
    hurt = list_hurt(both_aids("dice"), BY_HAND)
    assert list(hurt.columns) == HURT_COLUMNS
    assert hurt.to_numpy().tolist() == [
        ["dice", 0, "f", "benign", 0.8, 0.0, 0.0],
        ["dice", 0, "g", "malignant", 0.0, 0.0, 0.0],
    ]


def test_without_a_second_network_its_column_is_empty():
    plain = list_hurt([mask_training("dice")], {"unet_dice_plain": [scored(), scored()]})
    assert plain["seed"].tolist() == [0, 0, 1, 1]
    assert plain["iou_training"].isna().all()
    nothing = list_hurt([mask_training("dice")], {"unet_dice_plain": [scored(ROWS[:5])]})
    assert nothing.empty
    assert list(nothing.columns) == HURT_COLUMNS
    assert list_hurt([], {}).empty
