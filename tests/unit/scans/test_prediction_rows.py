import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from medscale.errors import InputError
from medscale.files.pictures import write_figure
from medscale.scans.mask_scores import score_masks
from medscale.scans.prediction_rows import FOUND_COLOUR, TRUE_COLOUR, choose_examples, draw_prediction_rows
from tests.unit.scans.prepared_scans import draw_scans
from tests.unit.scans.scan_tables import outline


def scored(classes=("normal", "benign", "malignant"), count=9):
    rows = [
        (f"{label}{n}", split, label)
        for split in ("test", "train")
        for label in classes
        for n in range(count)
    ]
    sheet = pd.DataFrame(rows, columns=["image", "split", "class"])
    sheet["image"] = sheet["split"] + sheet["image"]
    return outline(sheet.assign(group=sheet["image"]))


def test_examples_are_neither_the_best_nor_the_worst():
    scores = scored()
    examples = choose_examples(scores, 1)
    order = [(split, label) for split in ("train", "test") for label in ("normal", "benign", "malignant")]
    assert list(examples[["split", "class"]].itertuples(index=False, name=None)) == order
    benign = scores[(scores["split"] == "test") & (scores["class"] == "benign")]
    chosen = examples.loc[4, "image"]
    assert benign.set_index("image").at[chosen, "iou"] == benign["iou"].median()


def test_several_examples_lie_in_equal_parts_and_few_images_are_taken_once():
    scores = scored(count=6)
    own = scores[(scores["split"] == "train") & (scores["class"] == "malignant")].sort_values("iou")
    examples = choose_examples(scores, 3)
    chosen = examples[(examples["split"] == "train") & (examples["class"] == "malignant")]["image"]
    assert chosen.tolist() == own["image"].iloc[[1, 3, 5]].tolist()
    few = choose_examples(scored(count=2), 5)
    assert not few["image"].duplicated().any()
    assert len(few) == 12


@pytest.fixture(scope="module")
def drawn():
    images, sheet = draw_scans(8)
    probabilities = {
        "plain": {
            name: 255 * np.roll(mask, 4, 1) for name, mask in zip(images.names, images.masks, strict=True)
        },
        "aided": {name: 255 * mask for name, mask in zip(images.names, images.masks, strict=True)},
    }
    emptied = ["benign_0"]
    scores = {kind: score_masks(own, images, sheet, emptied) for kind, own in probabilities.items()}
    examples = pd.DataFrame(
        [("train", "normal", "normal_0"), ("train", "benign", "benign_0"), ("train", "benign", "benign_1")],
        columns=["split", "class", "image"],
    )
    return draw_prediction_rows(examples, images, probabilities, scores), scores


def _colours(axes):
    return [to_hex(one.get_edgecolor()[0]) for one in axes.collections]


def test_a_row_has_image_truth_and_both_outlines(drawn, tmp_path):
    figure, scores = drawn
    # Two rows of two examples, each with four pictures and a gap.
    grid = np.array(figure.axes[:20]).reshape(2, 10)
    assert [axes.get_title() for axes in grid[0, :5]] == ["image", "true", "plain", "aided", ""]
    assert [len(axes.images) for axes in grid[0]] == [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    assert [len(axes.images) for axes in grid[1]] == [1, 1, 1, 1, 0, 1, 1, 1, 1, 0]
    assert [_colours(axes) for axes in grid[1, 5:9]] == [
        [],
        [TRUE_COLOUR],
        [TRUE_COLOUR, FOUND_COLOUR],
        [TRUE_COLOUR, FOUND_COLOUR],
    ]
    iou = scores["plain"].set_index("image").at["benign_1", "iou"]
    assert 0 < iou < 1
    assert grid[1, 7].texts[0].get_text() == f"IoU {iou:.2f}"
    assert grid[1, 8].texts[0].get_text() == "IoU 1.00"
    write_figure(figure, tmp_path / "a.png")


def test_an_image_that_is_called_normal_has_no_outline_with_aid(drawn):
    figure, _ = drawn
    grid = np.array(figure.axes[:20]).reshape(2, 10)
    assert _colours(grid[1, 2]) == [TRUE_COLOUR, FOUND_COLOUR]
    assert _colours(grid[1, 3]) == [TRUE_COLOUR]
    assert grid[1, 3].texts[0].get_text() == "IoU 0.00"


def test_no_example_is_refused():
    images, _ = draw_scans(8)
    with pytest.raises(InputError, match="no image"):
        draw_prediction_rows(choose_examples(scored(), 1)[:0], images, {}, {})
