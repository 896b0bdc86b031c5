import numpy as np
import pandas as pd
import pytest

from medscale.errors import InputError
from medscale.files.pictures import write_figure
from medscale.scans.bar_figures import draw_ablation, draw_overlaps
from medscale.scans.segmentation_table import tabulate_segmentation
from tests.unit.scans.scan_tables import both_aids, empty_outline, make_sheet, outline

VOLUMES = pd.DataFrame(
    {
        "inputs": ["image", "demographics", "both", "majority"],
        **{
            f"{split}_accuracy{ending}": np.array([0.7, 0.6, 0.8, 0.5]) + shift + own
            for split, shift in (("train", 0.1), ("test", 0.0))
            for ending, own in (("", 0.0), ("_low", -0.1), ("_high", 0.05))
        },
    }
)


def _heights(axes):
    return [patch.get_height() for patch in axes.patches]


def test_bars_of_training_and_test_stand_over_the_floor(tmp_path):
    figure = draw_ablation(VOLUMES)
    axes = figure.axes[0]
    assert _heights(axes) == pytest.approx([0.8, 0.7, 0.9, 0.7, 0.6, 0.8])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["image", "demographics", "both"]
    spans = [segment[:, 1].tolist() for one in axes.collections for segment in one.get_segments()]
    assert spans[5] == pytest.approx([0.7, 0.85])
    assert list(axes.lines[0].get_ydata()) == [0.5, 0.5]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert set(names) == {"training", "test", "floor: most frequent class, test"}
    write_figure(figure, tmp_path / "a.png")


def test_overlaps_stand_beside_those_of_the_report(tmp_path):
    sheet = make_sheet()
    runs = {
        f"unet_{loss}_{aid}": [outline(sheet, 0.3 + 0.1 * place)]
        for place, (loss, aid) in enumerate(
            (loss, aid) for loss in ("bce", "dice") for aid in ("plain", "aided")
        )
    }
    table = tabulate_segmentation(both_aids("bce") + both_aids("dice"), runs, empty_outline(sheet), 50, 0)
    figure = draw_overlaps(table)
    train, test = figure.axes
    ours = table[:-1].sort_values(
        ["aid", "loss"], key=lambda one: one.map(["none", "prediction", "training", "bce", "dice"].index)
    )
    assert _heights(test) == pytest.approx(ours["test_iou"].tolist())
    assert _heights(train) == pytest.approx(ours["train_iou"].tolist())
    crosses = [line.get_ydata() for line in test.lines if line.get_marker() == "x" and len(line.get_ydata())]
    assert crosses[0].tolist() == [0.48947, 0.54007]
    assert np.isnan(crosses[1]).all()
    assert crosses[2].tolist() == [0.51996, 0.57291]
    floors = [line.get_ydata()[0] for line in test.lines if line.get_color() == "#777777"]
    assert floors == pytest.approx([1 / 3])
    write_figure(figure, tmp_path / "a.png")


def test_tables_of_floors_alone_are_refused():
    with pytest.raises(InputError, match="compare_inputs"):
        draw_ablation(VOLUMES[3:])
    empty = pd.DataFrame({"loss": ["empty_mask"], "aid": ["none"]})
    with pytest.raises(InputError, match="tabulate_segmentation"):
        draw_overlaps(empty)
