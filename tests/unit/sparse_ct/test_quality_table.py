import numpy as np
import pandas as pd
import pytest

from medscale.errors import InputError
from medscale.sparse_ct.quality_table import COLUMNS, METHODS, summarise

EFFECT = {"fbp_ramp": 0.0, "fbp_hann": 1.0, "tv": 3.0, "denoiser": 6.0}


@pytest.fixture
def scores():
    """Scores of six patients with one to four slices each, at 30 and 60 views."""
    rng = np.random.default_rng(0)
    rows = []
    for patient in range(6):
        level = rng.normal(0, 1.5)
        for number in range(1 + patient % 4):
            for views in (60, 30):
                for method, effect in EFFECT.items():
                    psnr = 25 + level + views / 10 + effect + rng.normal(0, 0.15)
                    head = (f"image{patient}", f"p{patient}", number, 128, views, method)
                    rows.append((*head, psnr, 0.5 + effect / 20, 2000 * 10 ** (-psnr / 20), 1.0))
    columns = ["image", "patient", "slice", "size_px", "views", "method", "psnr_db", "ssim", "rmse_hu"]
    return pd.DataFrame(rows, columns=[*columns, "data_range"])


def pick(table, views, method):
    (row,) = table[(table["views"] == views) & (table["method"] == method)].to_dict("records")
    return row


def test_each_method_has_one_row_in_the_order_of_the_methods(scores):
    table = summarise(scores.sample(frac=1, random_state=1), 50, 1)
    assert list(table.columns) == COLUMNS
    order = [method for method in METHODS if method in EFFECT]
    assert list(table["method"]) == order * 2
    assert list(table["views"]) == [30] * 4 + [60] * 4
    assert set(table["slices"]) == {13}
    assert set(table["patients"]) == {6}
    assert set(table["data_range"]) == {1.0}


def test_means_are_those_of_slices_and_gains_are_paired(scores):
    row = pick(summarise(scores, 50, 1), 60, "denoiser")
    own = scores[(scores["views"] == 60) & (scores["method"] == "denoiser")]
    base = scores[(scores["views"] == 60) & (scores["method"] == "fbp_ramp")]
    for metric in ("psnr_db", "ssim", "rmse_hu"):
        assert row[metric] == pytest.approx(own[metric].mean())
    assert row["psnr_gain_db"] == pytest.approx(own["psnr_db"].mean() - base["psnr_db"].mean())
    assert row["psnr_gain_db"] == pytest.approx(6, abs=0.5)


def test_the_mean_psnr_is_not_the_psnr_of_the_mean_error(scores):
    row = pick(summarise(scores, 50, 1), 30, "tv")
    assert row["psnr_db"] > 20 * np.log10(
        2000 / np.sqrt((scores_of(scores, 30, "tv")["rmse_hu"] ** 2).mean())
    )


def scores_of(scores, views, method):
    return scores[(scores["views"] == views) & (scores["method"] == method)]


def test_intervals_equal_a_plain_bootstrap_that_draws_patients(scores):
    row = pick(summarise(scores, 4000, 1), 60, "tv")
    by_patient = [part["psnr_db"].to_numpy() for _, part in scores_of(scores, 60, "tv").groupby("patient")]
    rng = np.random.default_rng(3)
    means = [np.concatenate([by_patient[i] for i in rng.integers(0, 6, 6)]).mean() for _ in range(4000)]
    low, high = np.quantile(means, [0.025, 0.975])
    assert (row["psnr_db_low"], row["psnr_db_high"]) == pytest.approx((low, high), abs=0.06)
    assert row["psnr_db_low"] < row["psnr_db"] < row["psnr_db_high"]


def test_pairing_makes_the_gain_far_surer_than_the_psnr(scores):
    row = pick(summarise(scores, 1000, 1), 60, "denoiser")
    width, gain_width = (row[f"{m}_high"] - row[f"{m}_low"] for m in ("psnr_db", "psnr_gain_db"))
    assert gain_width < 0.4 * width
    base = pick(summarise(scores, 1000, 1), 60, "fbp_ramp")
    assert base["psnr_gain_db"] == base["psnr_gain_db_low"] == base["psnr_gain_db_high"] == 0


def test_more_slices_of_the_same_patients_do_not_make_it_surer(scores):
    copies = [scores.assign(slice=scores["slice"] + 10 * copy) for copy in range(8)]
    few, many = (pick(summarise(s, 1000, 1), 60, "tv") for s in (scores, pd.concat(copies)))
    assert many["slices"] == 8 * few["slices"]
    assert many["psnr_db_low"] == pytest.approx(few["psnr_db_low"])


def test_rows_in_another_order_give_the_same_bits(scores):
    shuffled = scores.sample(frac=1, random_state=5)
    pd.testing.assert_frame_equal(summarise(scores, 100, 1), summarise(shuffled, 100, 1), check_exact=True)
    assert not summarise(scores, 100, 1).equals(summarise(scores, 100, 2))


def test_one_patient_has_means_without_intervals(scores):
    row = pick(summarise(scores[scores["patient"] == "p3"], 100, 1), 60, "tv")
    assert np.isfinite(row["psnr_db"])
    assert np.isfinite(row["psnr_gain_db"])
    assert np.isnan(row["psnr_db_low"])
    assert np.isnan(row["psnr_gain_db_high"])


def test_without_the_baseline_there_is_no_gain(scores):
    row = pick(summarise(scores[scores["method"] != "fbp_ramp"], 100, 1), 60, "tv")
    assert np.isfinite(row["psnr_db_low"])
    assert np.isnan(row["psnr_gain_db"])


def test_sizes_stand_in_rows_of_their_own(scores):
    both = pd.concat([scores, scores.assign(size_px=512, psnr_db=scores["psnr_db"] + 2)])
    table = summarise(both, 50, 1)
    small, large = (pick(table[table["size_px"] == size], 60, "tv") for size in (128, 512))
    assert large["psnr_db"] == pytest.approx(small["psnr_db"] + 2)
    assert large["psnr_gain_db"] == pytest.approx(small["psnr_gain_db"])


def drop_column(scores):
    return scores.drop(columns="ssim")


def misname_method(scores):
    return scores.replace("tv", "total variation")


def repeat_row(scores):
    return pd.concat([scores, scores[:1]])


def make_infinite(scores):
    return scores.assign(psnr_db=np.inf)


def mix_ranges(scores):
    return scores.assign(data_range=np.where(scores["views"] == 30, 1.0, 2.0))


def lose_baseline(scores):
    return scores[(scores["method"] != "fbp_ramp") | (scores["patient"] != "p2")]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (drop_column, "no column ssim"),
        (misname_method, "'total variation'"),
        (repeat_row, "twice"),
        (make_infinite, "not finite"),
        (mix_ranges, "several data ranges"),
        (lose_baseline, "slices without fbp_ramp"),
    ],
)
def test_scores_that_must_not_stand_together_are_refused(scores, spoil, message):
    with pytest.raises(InputError, match=message):
        summarise(spoil(scores), 50, 1)
