import numpy as np
import pytest

from medscale.errors import InputError
from medscale.files.pictures import write_figure
from medscale.scans.learning_curves import (
    CLASSIFIER_PANELS,
    OUTLINE_PANELS,
    collect_classifier_histories,
    collect_outline_histories,
    draw_classifier_curves,
    draw_outline_curves,
)


def history(panels, offset=0.0, watched=True):
    names = [name for name in panels if watched or name.startswith("train")]
    return [{"epoch": epoch} | {name: offset + epoch / 10 for name in names} for epoch in range(1, 5)]


def outlines(watched=True):
    runs = [(loss, aid, seed) for loss in ("bce", "dice") for aid in ("plain", "aided") for seed in (0, 1)]
    losses, aids, seeds = zip(*runs, strict=True)
    histories = [history(OUTLINE_PANELS, number / 20, watched) for number in range(len(runs))]
    return collect_outline_histories(losses, aids, seeds, histories)


def test_classifiers_have_losses_and_accuracies(tmp_path):
    histories = collect_classifier_histories(
        ["a", "b"], [0, 0], [history(CLASSIFIER_PANELS), history(CLASSIFIER_PANELS, 0.1)]
    )
    assert list(histories.columns) == ["training", "seed", "epoch", *CLASSIFIER_PANELS]
    figure = draw_classifier_curves(histories)
    assert [axes.get_ylabel() for axes in figure.axes] == list(CLASSIFIER_PANELS.values())
    assert [axes.get_ylim() == (0, 1) for axes in figure.axes] == [False, False, True, True]
    write_figure(figure, tmp_path / "a.png")


def test_each_loss_has_a_row_with_a_line_for_each_aid(tmp_path):
    histories = outlines()
    assert list(histories.columns) == ["loss", "training", "seed", "epoch", *OUTLINE_PANELS]
    figure = draw_outline_curves(histories)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["loss: bce", "", "", "", "loss: dice", "", "", ""]
    strong = [line for line in figure.axes[4].lines if line.get_linewidth() > 1]
    # Runs 4 and 5 are those of dice without aid.
    assert strong[0].get_ydata() == pytest.approx(np.arange(1, 5) / 10 + 4.5 / 20)
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["plain (2 seeds)", "aided (2 seeds)"]
    write_figure(figure, tmp_path / "a.png")


def test_what_was_not_watched_has_no_panel():
    assert len(draw_outline_curves(outlines(watched=False)).axes) == 4


def test_no_epoch_is_refused():
    with pytest.raises(InputError, match="no epoch"):
        draw_outline_curves(outlines()[:0])
