import numpy as np
import pytest

from medscale.errors import InputError
from medscale.figures.training_curves import collect_histories, draw_curves

PANELS = {"train_loss": "training loss", "validation_iou": "validation IoU", "learning_rate": "rate"}


def history(epochs, offset=0.0):
    return [
        {"epoch": epoch, "train_loss": 2 / epoch + offset, "validation_iou": 0.1 * epoch, "unused": 1}
        for epoch in range(1, epochs + 1)
    ]


def collect(names=("a", "a", "b"), name_column="training"):
    histories = [history(3, number) for number in range(len(names))]
    return collect_histories(names, range(len(names)), histories, list(PANELS), name_column)


def test_epochs_of_all_trainings_become_rows_of_the_wanted_numbers():
    table = collect()
    assert list(table.columns) == ["training", "seed", "epoch", *PANELS]
    assert table["training"].tolist() == ["a"] * 6 + ["b"] * 3
    assert table["seed"].tolist() == [0] * 3 + [1] * 3 + [2] * 3
    assert table.loc[4, "train_loss"] == 2.0
    assert table["learning_rate"].isna().all()


def test_what_was_not_recorded_has_no_panel_and_scores_run_from_0_to_1():
    figure = draw_curves(collect(), PANELS, "training", columns=2)
    loss, score = figure.axes
    assert (loss.get_ylabel(), score.get_ylabel()) == ("training loss", "validation IoU")
    assert score.get_ylim() == (0, 1)
    assert loss.get_ylim()[1] > 3


def test_a_strong_line_is_the_mean_over_seeds():
    lines = draw_curves(collect(), PANELS, "training").axes[0].lines
    strong = [line for line in lines if line.get_linewidth() > 1]
    assert strong[0].get_ydata() == pytest.approx(2 / np.arange(1, 4) + 0.5)
    assert strong[1].get_label() == "b (1 seed)"


def test_histories_that_cannot_be_drawn_are_refused():
    table = collect()
    with pytest.raises(InputError, match="no epoch"):
        draw_curves(table[:0], PANELS, "training")
    with pytest.raises(InputError, match=r"one epoch twice.*each epoch of a training and seed once"):
        draw_curves(table.assign(seed=0), PANELS, "training")
