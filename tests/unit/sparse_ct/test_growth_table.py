import pandas as pd
import pytest

from medscale.sparse_ct.growth_table import choose_curves, collect_runs, tabulate_growth

SCHEDULES = [("fixed/1", ""), ("fixed/4", ""), ("t31/1-2", ""), ("t31/1-2", "_decayed")]
# Validation PSNR after the last epoch, by schedule and seed.
LAST = {
    ("fixed/1", "", 0): 30.0,
    ("fixed/1", "", 1): 32.0,
    ("fixed/4", "", 0): 29.0,
    ("fixed/4", "", 1): 28.0,
    ("t31/1-2", "", 0): 31.0,
    ("t31/1-2", "", 1): 32.5,
    ("t31/1-2", "_decayed", 0): 30.5,
    ("t31/1-2", "_decayed", 1): 32.5,
}


def card(psnr):
    history = [
        {
            **{"epoch": epoch, "batch_size": 1, "learning_rate": 0.1, "updates": 9},
            **{"train_loss": 0.1 / epoch, "validation_loss": 0.2 / epoch},
            **{"train_psnr": psnr - 1, "validation_psnr": psnr - 2 + epoch},
        }
        for epoch in (1, 2)
    ]
    return {"training": {"batch_sizes": "1 to epoch 2"}, "history": history}


@pytest.fixture(scope="module")
def histories():
    runs = [
        {"sizing": "crop", "output": "sigmoid", "seed": seed, "schedule": schedule, "control": control}
        for seed in (0, 1)
        for schedule, control in SCHEDULES
    ]
    cards = [card(LAST[run["schedule"], run["control"], run["seed"]]) for run in runs]
    return collect_runs(runs, cards)


def test_every_epoch_of_every_training_is_there(histories):
    assert len(histories) == 2 * 2 * len(SCHEDULES)
    assert list(histories.columns[:6]) == ["sizing", "output", "schedule", "control", "seed", "batch_sizes"]


def test_the_table_has_the_last_epoch_averaged_over_seeds(histories):
    table = tabulate_growth(histories).set_index(["schedule", "control"])
    assert list(table.index) == [
        ("fixed/1", "batch"),
        ("fixed/4", "batch"),
        ("t31/1-2", "batch"),
        ("t31/1-2", "learning rate"),
    ]
    row = table.loc[("t31/1-2", "batch")]
    assert row["seeds"] == 2
    assert row["validation_psnr"] == pytest.approx(31.75)
    assert row["validation_psnr_sd"] == pytest.approx(1.5 / 2**0.5)
    assert row["train_loss"] == pytest.approx(0.05)


def test_gains_compare_trainings_of_one_seed(histories):
    table = tabulate_growth(histories).set_index(["schedule", "control"])
    gains = table[["gain_db", "gain_lowest_db", "gain_highest_db"]]
    assert gains.loc[("fixed/1", "batch")].tolist() == [0, 0, 0]
    assert gains.loc[("fixed/4", "batch")].tolist() == pytest.approx([-2.5, -4, -1])
    assert gains.loc[("t31/1-2", "batch")].tolist() == pytest.approx([0.75, 0.5, 1])


def test_numbers_of_the_thesis_stand_beside_its_own_schedules_alone(histories):
    printed = tabulate_growth(histories).set_index(["schedule", "control"])["thesis_validation_psnr"]
    assert printed["fixed/1", "batch"] == 42.331
    assert printed["t31/1-2", "batch"] == 43.181
    assert pd.isna(printed["fixed/4", "batch"])
    assert pd.isna(printed["t31/1-2", "learning rate"])


def test_curves_of_a_figure_are_beside_those_of_batch_size_1(histories):
    fixed = choose_curves(histories, "crop", "sigmoid", "fixed")
    growing = choose_curves(histories, "crop", "sigmoid", "growing")
    assert set(fixed["schedule"]) == {"fixed/1", "fixed/4"}
    assert set(growing["schedule"]) == {"fixed/1", "t31/1-2"}
    assert set(growing["control"]) == {"batch"}
    assert choose_curves(histories, "resize", "sigmoid", "fixed").empty
