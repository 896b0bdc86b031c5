import numpy as np
import pandas as pd
import pytest
from scipy import stats

from medscale.errors import InputError
from medscale.pathology.balancing_study import ALL_SLIDES, COLUMNS, STRATEGIES, compare_balancing, draw_study

SLIDES = {"big": 20.0, "small": 0.5, "middle": 4.0, "tiny": 0.1}


@pytest.fixture
def runs() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = []
    for strategy, base in zip(STRATEGIES, (0.2, 0.3, 0.4), strict=True):
        for repetition in range(3):
            for slide, area in SLIDES.items():
                score = base + 0.05 * rng.random() - 0.1 * (slide == "tiny")
                rows.append(
                    (strategy, repetition, slide, "train_network", area, score, score + 0.1, 0.6, 0.05)
                )
    scores = ["jaccard", "jaccard_best_threshold", "best_threshold", "jaccard_floor"]
    return pd.DataFrame(
        rows, columns=["strategy", "repetition", "slide", "split", "tumour_area_mm2", *scores]
    )


def pick(table: pd.DataFrame, slide: str, strategy: str) -> pd.Series:
    (index,) = table.index[(table["slide"] == slide) & (table["strategy"] == strategy)]
    return table.loc[index]


def test_each_slide_and_strategy_has_mean_and_spread_over_repetitions(runs):
    table = compare_balancing(runs)
    assert list(table.columns) == COLUMNS
    own = runs[(runs["slide"] == "tiny") & (runs["strategy"] == "unbalanced")]["jaccard"]
    row = pick(table, "tiny", "unbalanced")
    assert (row["n"], row["jaccard_mean"], row["jaccard_sd"]) == (3, own.mean(), own.std(ddof=1))
    assert row["jaccard_best_threshold_mean"] == pytest.approx(own.mean() + 0.1)
    assert row["jaccard_floor"] == pytest.approx(0.05)
    ours = table[table["source"] == "ours"]
    assert list(ours["slide"].unique()) == ["tiny", "small", "middle", "big", ALL_SLIDES]


@pytest.mark.parametrize("baseline", ["unbalanced", "class_balanced"])
def test_the_gain_is_that_of_a_paired_t_test(runs, baseline):
    row = pick(compare_balancing(runs), "big", baseline)
    scores = runs[runs["slide"] == "big"].pivot(index="repetition", columns="strategy", values="jaccard")
    paired = stats.ttest_rel(scores["slide_balanced"], scores[baseline])
    interval = paired.confidence_interval(0.95)
    assert row["gain_mean"] == pytest.approx((scores["slide_balanced"] - scores[baseline]).mean())
    assert [row["gain_low"], row["gain_high"]] == pytest.approx([interval.low, interval.high])
    assert row["gain_ratio"] == pytest.approx(scores["slide_balanced"].mean() / scores[baseline].mean())


def test_repetitions_are_paired_by_their_number(runs):
    lost = (runs["strategy"] == "unbalanced") & (runs["repetition"] == 0)
    row = pick(compare_balancing(runs[~lost]), "big", "unbalanced")
    assert (row["n"], row["gain_n"]) == (2, 2)
    kept = runs[(runs["slide"] == "big") & (runs["repetition"] > 0)].groupby("strategy")["jaccard"].mean()
    assert row["gain_mean"] == pytest.approx(kept["slide_balanced"] - kept["unbalanced"])


def test_the_mean_of_slides_leaves_out_runs_that_lack_one(runs):
    runs.loc[
        (runs["strategy"] == "unbalanced") & (runs["repetition"] == 0) & (runs["slide"] == "big"), "jaccard"
    ] = None
    row = pick(compare_balancing(runs), ALL_SLIDES, "unbalanced")
    kept = runs[(runs["strategy"] == "unbalanced") & (runs["repetition"] > 0)]["jaccard"]
    assert row["n"] == 2
    assert row["jaccard_mean"] == pytest.approx(kept.mean())


def test_a_slide_that_no_run_could_measure_does_not_spoil_the_mean(runs):
    runs.loc[runs["slide"] == "tiny", "jaccard"] = None
    table = compare_balancing(runs)
    assert pick(table, "tiny", "unbalanced")["n"] == 0
    assert pick(table, ALL_SLIDES, "unbalanced")["n"] == 3


def test_one_repetition_has_a_gain_without_interval(runs):
    row = pick(compare_balancing(runs[runs["repetition"] == 0]), "big", "unbalanced")
    assert np.isfinite(row["gain_mean"])
    assert np.isnan(row["gain_low"])
    assert np.isnan(row["jaccard_sd"])


def test_a_baseline_of_zero_has_no_ratio(runs):
    runs.loc[runs["strategy"] == "unbalanced", "jaccard"] = 0.0
    assert np.isnan(pick(compare_balancing(runs), "big", "unbalanced")["gain_ratio"])


def test_the_thesis_stands_below_in_its_own_rows(runs):
    thesis = compare_balancing(runs)
    thesis = thesis[thesis["source"] == "thesis"]
    before = thesis[thesis["strategy"] == "before"]
    assert list(before["tumour_patches"]) == [1123, 209, 1823, 84]
    assert list(before["jaccard_mean"]) == [0.2869, 0.0100, 0.2664, 0.0227]
    assert list(thesis.loc[thesis["strategy"] == "after", "jaccard_mean"]) == [0.3978, 0.1759, 0.5627, 0.0380]
    assert list((100 * before["gain_ratio"]).round()) == [139, 1759, 211, 167]


def test_splits_are_not_averaged_together(runs):
    runs.loc[runs["slide"].isin(["big", "tiny"]), "split"] = "test"
    table = compare_balancing(runs)
    assert list(table.loc[table["slide"] == ALL_SLIDES, "split"].unique()) == ["test", "train_network"]


def drop_column(runs):
    return runs.drop(columns="jaccard_floor")


def misname_strategy(runs):
    return runs.replace("unbalanced", "none at all")


def repeat_run(runs):
    return pd.concat([runs, runs[:1]])


@pytest.mark.parametrize(
    ("spoil", "found"),
    [(drop_column, "jaccard_floor"), (misname_strategy, "none at all"), (repeat_run, "twice")],
)
def test_unusable_runs_are_refused(runs, spoil, found):
    with pytest.raises(InputError, match=found):
        compare_balancing(spoil(runs))


def test_the_picture_has_a_bar_for_every_row(tmp_path, runs):
    figure = draw_study(compare_balancing(runs))
    left, right = figure.axes
    assert (len(left.patches), len(right.patches)) == (3 * 4, 2 * 4)
    assert [bar.get_height() for bar in right.patches[:4]] == [0.0227, 0.0100, 0.2869, 0.2664]
    figure.savefig(tmp_path / "study.png")
    assert (tmp_path / "study.png").stat().st_size > 1000
