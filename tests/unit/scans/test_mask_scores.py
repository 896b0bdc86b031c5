import numpy as np
import pandas as pd
import pytest

from medscale.errors import InputError
from medscale.scans.mask_scores import COLUMNS, measure_overlap, score_empty, score_masks
from medscale.scans.prepared_images import PreparedImages, prepare_images, read_prepared_images
from tests.unit.scans.picture_files import draw_blobs, write_pixels

SIZE = 8
# On pictures twice as wide and four times as high as the prepared ones.
ROWS, COLUMNS_PX = 32, 16


@pytest.fixture
def scans(tmp_path) -> tuple[PreparedImages, pd.DataFrame]:
    """A benign image whose tumour fills rows 2-5 and columns 4-7 of 8, and a normal one."""
    mask = np.zeros((ROWS, COLUMNS_PX), np.uint8)
    mask[8:24, 8:16] = 255
    write_pixels(tmp_path / "benign.png", draw_blobs("benign", ROWS, COLUMNS_PX))
    write_pixels(tmp_path / "normal.png", draw_blobs("normal", ROWS, COLUMNS_PX))
    write_pixels(tmp_path / "mask.png", mask)
    rows = [
        ("benign", str(tmp_path / "benign.png"), str(tmp_path / "mask.png"), "benign", "g", "train"),
        ("normal", str(tmp_path / "normal.png"), "", "normal", "h", "test"),
    ]
    sheet = pd.DataFrame(rows, columns=["image", "path", "masks", "class", "group", "split"])
    masks = [[tmp_path / "mask.png"], []]
    prepare_images(sheet["image"], sheet["path"], masks, SIZE, tmp_path / "all.h5")
    return read_prepared_images(tmp_path / "all.h5"), sheet.set_index("image", drop=False)


def _outlines(benign=0, normal=0) -> dict[str, np.ndarray]:
    """Outlines of rows 2-5 and columns 2-5, which share half with the tumour, and of one pixel."""
    outlines = {name: np.zeros((SIZE, SIZE), np.uint8) for name in ("benign", "normal")}
    outlines["benign"][2:6, 2:6] = benign
    outlines["normal"][0, 0] = normal
    return outlines


def test_overlap_by_hand():
    one, other = np.zeros((4, 4), bool), np.zeros((4, 4), np.uint8)
    assert measure_overlap(one, other) == (1.0, 1.0)
    one[:2] = True
    assert measure_overlap(one, other) == (0.0, 0.0)
    other[1:3] = 1
    # 4 pixels of both, 12 of either, 8 of each.
    assert measure_overlap(one, other) == (4 / 12, 8 / 16)


def test_scores_by_hand_on_both_grids(scans):
    table = score_masks(_outlines(255, 255), *scans)
    assert table.columns.tolist() == COLUMNS
    benign, normal = table.to_dict("records")
    assert (benign["iou"], benign["dice"]) == (8 / 24, 16 / 32)
    assert (benign["iou_aided"], benign["dice_aided"], benign["called_normal"]) == (8 / 24, 0.5, False)
    assert (normal["iou"], normal["dice"], normal["iou_original"]) == (0, 0, 0)
    # Stretched, the outline is rows 8-23 and columns 4-11 without its corners, where 5/8 of 3/4 is left:
    # 62 pixels of both, 190 of either.
    assert benign["iou_original"] == benign["iou_original_aided"] == 62 / 190
    assert [normal[key] for key in ("group", "split", "class")] == ["h", "test", "normal"]


def test_a_pixel_is_tumour_from_half_on_on_both_grids(scans):
    for value, iou in ((127, 0.0), (128, 8 / 24)):
        benign = score_masks(_outlines(value), *scans).iloc[0]
        assert benign["iou"] == iou
    square = {"benign": np.full((SIZE, SIZE), 128, np.uint8), "normal": np.full((SIZE, SIZE), 127, np.uint8)}
    benign, normal = score_masks(square, *scans).to_dict("records")
    # The tumour fills a quarter of its picture.
    assert benign["iou_original"] == benign["iou"] == 0.25
    assert normal["iou_original"] == normal["iou"] == 1


def test_the_aid_helps_where_there_is_no_tumour_and_hurts_where_there_is_one(scans):
    table = score_masks(_outlines(255, 255), *scans, emptied=["normal", "benign"])
    assert table["called_normal"].tolist() == [True, True]
    assert table["iou"].tolist() == [8 / 24, 0]
    for column in ("iou_aided", "dice_aided", "iou_original_aided"):
        assert table[column].tolist() == [0, 1]


def test_the_empty_mask_is_right_where_there_is_no_tumour(scans):
    table = score_empty(*scans)
    assert table["called_normal"].tolist() == [False, False]
    for column in ("iou", "dice", "iou_aided", "iou_original", "iou_original_aided"):
        assert table[column].tolist() == [0, 1]


def test_a_tumour_that_vanishes_when_its_image_shrinks_counts_at_original_size(scans):
    images, sheet = scans
    vanished = PreparedImages(images.names, images.images, np.zeros_like(images.masks), images.shapes)
    benign = score_empty(vanished, sheet).iloc[0]
    assert (benign["iou"], benign["iou_original"]) == (1, 0)


def test_tables_follow_the_sheet(scans):
    images, sheet = scans
    turned = score_masks(_outlines(255, 255), images, sheet.iloc[::-1])
    assert turned["image"].tolist() == ["normal", "benign"]
    assert turned["iou"].tolist() == [0, 8 / 24]


def test_images_without_fitting_probabilities_are_refused(scans):
    outlines = _outlines()
    with pytest.raises(InputError, match="image normal: found no probabilities"):
        score_masks({"benign": outlines["benign"]}, *scans)
    with pytest.raises(InputError, match=r"found probabilities of shape \(4, 4\); expected those of 8 x 8"):
        score_masks(outlines | {"benign": np.zeros((4, 4), np.uint8)}, *scans)
    with pytest.raises(InputError, match="image other: found no line of the sheet"):
        score_masks(outlines, *scans, emptied=["other"])
