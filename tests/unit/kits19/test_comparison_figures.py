import numpy as np
import pandas as pd
import pytest

from medscale.errors import InputError
from medscale.figures.colours import style_of
from medscale.files.pictures import write_figure
from medscale.kits19.comparison import TrainedNetwork, compare_segmenters
from medscale.kits19.comparison_figure import PANELS, draw_comparison
from medscale.kits19.training_figure import HISTORY_COLUMNS, collect_histories, draw_trainings
from medscale.kits19.tumour_volumes import collect_tumours
from medscale.kits19.volume_figure import draw_volumes
from medscale.networks.registry import SEGMENTERS
from tests.unit.kits19.scored_cases import floors, table

NETWORKS = ["unet2d", "unet3d", "denseunet_small"]


@pytest.fixture(scope="module")
def scores():
    return [table(number, 0.2 + 0.3 * number) for number in range(3)]


@pytest.fixture(scope="module")
def comparison(scores):
    trainings = [TrainedNetwork(name, 0, 2, 10) for name in NETWORKS]
    return compare_segmenters(trainings, scores, floors(), (0.3, 17, 70), 200, 1)


def history(seed, epochs=20, watched=True):
    records = []
    for epoch in range(1, epochs + 1):
        loss = np.exp(-epoch / 5) + seed
        record = {"epoch": epoch, "learning_rate": 0.001, "train_loss": loss}
        names = ("loss", "weighted_jaccard", "dice_kidney", "dice_tumour")
        records.append(record | {f"validation_{n}": 0.9 - loss / 9 for n in names if watched})
    return records


def test_every_segmenter_has_a_look_of_its_own():
    looks = style_of(list(SEGMENTERS))
    assert len({tuple(look.values()) for look in looks.values()}) == len(SEGMENTERS) > 7


def test_means_intervals_floors_and_the_thesis_are_drawn(comparison, tmp_path):
    figure = draw_comparison(comparison)
    assert [axes.get_title() for axes in figure.axes] == list(PANELS.values())
    rows = comparison.set_index("network")
    for axes, score in zip(figure.axes, PANELS, strict=True):
        points = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o"]
        assert points == pytest.approx(rows.loc[NETWORKS, score].tolist())
        dashes = {
            line.get_linestyle(): line.get_xdata()[0] for line in axes.lines if line.get_color() == "#777777"
        }
        assert dashes == {":": rows.at["all_background", score], "--": rows.at["no_tumour", score]}
        spans = [line.get_xdata() for line in axes.lines if line.get_linewidth() == 2]
        assert np.array(spans) == pytest.approx(
            rows.loc[NETWORKS, [f"{score}_low", f"{score}_high"]].to_numpy()
        )
    crosses = [line for line in figure.axes[-1].lines if line.get_marker() == "x"]
    assert crosses[0].get_xdata()[:2].tolist() == [0.8633, 0.9113]
    assert np.isnan(crosses[0].get_xdata()[2])
    assert all(line.get_marker() != "x" for axes in figure.axes[:-1] for line in axes.lines)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == NETWORKS
    low, high = figure.axes[-1].get_xlim()
    assert low < rows["weighted_jaccard_low"].min()
    assert high > 1
    write_figure(figure, tmp_path / "a.png")


def test_a_comparison_read_from_disk_is_drawn_the_same(comparison, tmp_path):
    from medscale.files.tables import read_table, write_table

    write_table(comparison, tmp_path / "a.csv")
    write_figure(draw_comparison(read_table(tmp_path / "a.csv")), tmp_path / "a.png")
    write_figure(draw_comparison(comparison), tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_comparison_of_floors_alone_is_refused(comparison):
    with pytest.raises(InputError, match="no network"):
        draw_comparison(comparison[comparison["network"].isin(["all_background", "no_tumour"])])


def test_a_panel_a_network_with_a_point_for_each_tumour(scores, tmp_path):
    tumours = collect_tumours(NETWORKS, scores)
    figure = draw_volumes(tumours)
    titles = [axes.get_title() for axes in figure.axes]
    assert [title.split("\n")[0] for title in titles] == NETWORKS
    assert all("6 tumours" in title for title in titles)
    own = tumours[tumours["network"] == "unet3d"]
    points = figure.axes[1].collections[0].get_offsets()
    assert points.tolist() == own[["volume_ml_tumour", "dice_tumour"]].to_numpy().tolist()
    write_figure(figure, tmp_path / "a.png")


def test_without_tumours_the_figure_says_so(scores, tmp_path):
    figure = draw_volumes(collect_tumours(NETWORKS, scores)[:0])
    assert [text.get_text() for text in figure.texts] == ["No test case has a tumour."]
    write_figure(figure, tmp_path / "a.png")


def test_a_single_patient_has_no_interval(comparison):
    def explained(rows):
        return draw_comparison(rows).legends[0].get_texts()[0].get_text()

    ends = [name for name in comparison if name.endswith(("_low", "_high"))]
    alone = comparison.assign(cases=1, **dict.fromkeys(ends, np.nan))
    assert explained(alone) == "the only test patient: no interval"
    assert explained(comparison) == "mean and 95 % interval over patients"


def test_tumours_that_nobody_finds_have_no_correlation(scores):
    tumours = collect_tumours(["unet2d"], [scores[0].assign(dice_tumour=0.0)])
    assert "ρ not defined" in draw_volumes(tumours).axes[0].get_title()


def test_histories_become_one_table():
    histories = collect_histories(["a", "b"], [0, 1], [history(0, 3), history(0, 2, watched=False)])
    assert list(histories.columns) == HISTORY_COLUMNS
    assert histories[["network", "seed", "epoch"]].to_numpy().tolist() == [
        ["a", 0, 1],
        ["a", 0, 2],
        ["a", 0, 3],
        ["b", 1, 1],
        ["b", 1, 2],
    ]
    assert histories["validation_loss"].isna().tolist() == [False] * 3 + [True] * 2


def test_trainings_have_thin_lines_for_seeds_and_a_strong_one_for_their_mean(tmp_path):
    histories = collect_histories(["a", "a", "b"], [0, 1, 0], [history(0), history(0.2), history(0.1)])
    figure = draw_trainings(histories)
    labels = [axes.get_ylabel() for axes in figure.axes]
    assert labels[:2] == ["training loss", "validation loss"]
    assert len(labels) == 6
    lines = figure.axes[0].lines
    assert [line.get_linewidth() for line in lines] == [0.6, 0.6, 1.6, 1.6]
    assert lines[2].get_ydata() == pytest.approx((lines[0].get_ydata() + lines[1].get_ydata()) / 2)
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["a (2 seeds)", "b (1 seed)"]
    write_figure(figure, tmp_path / "a.png")


def test_what_was_not_watched_has_no_panel(tmp_path):
    figure = draw_trainings(collect_histories(["a"], [0], [history(0, 1, watched=False)]))
    shown = [axes.get_ylabel() for axes in figure.axes if axes.axison]
    assert shown == ["training loss", "learning rate"]
    # One epoch is a point.
    assert figure.axes[0].lines[0].get_marker() == "o"
    write_figure(figure, tmp_path / "a.png")


def test_histories_that_cannot_be_drawn_are_refused():
    once = collect_histories(["a"], [0], [history(0, 2)])
    with pytest.raises(InputError, match="one epoch twice"):
        draw_trainings(pd.concat([once, once]))
    with pytest.raises(InputError, match="no epoch"):
        draw_trainings(once[:0])
