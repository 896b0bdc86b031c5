import numpy as np
import pandas as pd
import pytest

from medscale.errors import InputError
from medscale.files.pictures import write_figure
from medscale.sparse_ct.growth_figure import draw_growth

SIZES = {"t31/1": {}, "t31/1-2": {90: 2}, "t31/1-2-4": {90: 2, 95: 4}}
TITLES = ["training loss (MAE)", "validation loss (MAE)", "training PSNR (dB)", "validation PSNR (dB)"]


def record(schedule, steps, seed, epochs=100):
    rng = np.random.default_rng(seed)
    epoch = np.arange(epochs)
    size = np.ones(epochs, int)
    for start, value in steps.items():
        size[epoch >= start] = value
    loss = 0.05 * np.exp(-epoch / 20) + 0.004 + 1e-4 * rng.random(epochs)
    psnr = -20 * np.log10(loss)
    columns = {
        "train_loss": loss,
        "train_psnr": psnr,
        "validation_loss": loss * 1.1,
        "validation_psnr": psnr - 1,
    }
    return pd.DataFrame({"schedule": schedule, "seed": seed, "epoch": epoch, "batch_size": size, **columns})


@pytest.fixture
def history():
    return pd.concat([record(name, steps, seed) for name, steps in SIZES.items() for seed in (1, 2)])


def strong(axes):
    return [line for line in axes.lines if line.get_linewidth() > 1]


def dotted(axes):
    return [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == ":"]


def test_four_panels_twice_with_a_mean_line_a_schedule(history):
    figure = draw_growth(history)
    assert [axes.get_ylabel() for axes in figure.axes] == TITLES * 2
    for axes in figure.axes:
        assert len(strong(axes)) == 3
        assert len({line.get_color() for line in strong(axes)}) == 3
        assert len([line for line in axes.lines if line.get_linewidth() < 0.7]) == 6
    own = history[history["schedule"] == "t31/1-2"]
    drawn = strong(figure.axes[1])[1]
    assert drawn.get_ydata() == pytest.approx(own.groupby("epoch")["validation_loss"].mean().to_numpy())


def test_the_end_is_enlarged_from_before_the_first_growth_which_is_marked(history):
    figure = draw_growth(history)
    left, right = figure.axes[0], figure.axes[4]
    assert (strong(left)[0].get_xdata()[[0, -1]]).tolist() == [0, 99]
    assert (strong(right)[0].get_xdata()[[0, -1]]).tolist() == [85, 99]
    assert dotted(left) == dotted(right) == [89.5, 94.5]


def test_without_growth_the_last_fifth_is_enlarged(history):
    for fixed in (history[history["schedule"] == "t31/1"], history.drop(columns="batch_size")):
        right = draw_growth(fixed).axes[4]
        assert strong(right)[0].get_xdata()[0] == 80
        assert dotted(right) == []


def test_the_legend_names_schedules_in_their_order_with_their_seeds(history):
    more = pd.concat([history, record("fixed/16", {}, 1)])
    (legend,) = draw_growth(more).legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["t31/1 (2 seeds)", "t31/1-2 (2 seeds)", "t31/1-2-4 (2 seeds)", "fixed/16 (1 seed)"]


def test_the_mean_ends_where_a_seed_ends(history):
    short = history[(history["seed"] == 1) | (history["epoch"] < 95)]
    mean = strong(draw_growth(short).axes[0])[0].get_ydata()
    assert np.isfinite(mean[:95]).all()
    assert np.isnan(mean[95:]).all()


def test_a_training_of_one_epoch_can_be_seen(tmp_path):
    figure = draw_growth(record("fixed/1", {}, 1, epochs=1))
    assert all(strong(axes)[0].get_marker() == "." for axes in figure.axes)
    write_figure(figure, tmp_path / "one.png")
    assert (tmp_path / "one.png").stat().st_size > 1000


def test_seven_schedules_have_colours_of_their_own(history):
    many = pd.concat([record(f"t32/1-{2**k}", {100 - 5 * k: 2}, 1) for k in range(1, 8)])
    lines = strong(draw_growth(many).axes[0])
    assert len({line.get_color() for line in lines}) == 7


@pytest.mark.parametrize(
    ("rows", "found"), [(slice(0, 0), "no epoch"), (slice(None), "no column train_psnr")]
)
def test_unusable_histories_are_refused(history, rows, found):
    history = history[rows]
    with pytest.raises(InputError, match=found):
        draw_growth(history.drop(columns="train_psnr") if found.startswith("no column") else history)


def test_an_epoch_given_twice_is_refused(history):
    with pytest.raises(InputError, match="one epoch twice"):
        draw_growth(pd.concat([history, history[:1]]))
