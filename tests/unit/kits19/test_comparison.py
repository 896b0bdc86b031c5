import numpy as np
import pytest

from medscale.errors import InputError
from medscale.kits19.comparison import COLUMNS, SCORES, TrainedNetwork, compare_segmenters
from medscale.kits19.confusion import COLUMNS as COUNTS
from medscale.kits19.evaluation import flatten_metrics
from medscale.kits19.weighted_jaccard import weighted_jaccard
from tests.unit.kits19.scored_cases import floors, table

WEIGHTS = (0.34, 17.0, 72.0)
TRAININGS = [
    TrainedNetwork("unet3d", 0, 3, 1000),
    TrainedNetwork("unet2d", 0, 2, 200),
    TrainedNetwork("unet3d", 1, 3, 1000),
    TrainedNetwork("denseunet_small", 0, 2, 300),
]


@pytest.fixture(scope="module")
def scores():
    return [table(0, 0.1), table(1, 0.6), table(2, 0.2), table(3, 0.9)]


@pytest.fixture(scope="module")
def comparison(scores):
    return compare_segmenters(TRAININGS, scores, floors(), WEIGHTS, 500, 1)


def pick(comparison, network):
    (row,) = comparison[comparison["network"] == network].to_dict("records")
    return row


def test_networks_stand_in_their_order_with_the_floors_below(comparison):
    assert list(comparison.columns) == COLUMNS
    networks = ["unet3d", "unet2d", "denseunet_small", "all_background", "no_tumour"]
    assert list(comparison["network"]) == networks
    assert comparison["seeds"].tolist()[:3] == [2, 1, 1]
    assert set(comparison["cases"]) == {6}


def test_means_are_over_patients_and_seeds_with_the_spread_of_the_seeds(comparison, scores):
    row = pick(comparison, "unet3d")
    seeds = [scores[number]["dice_tumour"].mean() for number in (0, 2)]
    assert row["dice_tumour"] == pytest.approx(np.mean(seeds))
    assert row["dice_tumour_sd"] == pytest.approx(abs(seeds[0] - seeds[1]) / np.sqrt(2))
    assert row["dice_tumour_low"] < row["dice_tumour"] < row["dice_tumour_high"]
    assert np.isnan(pick(comparison, "unet2d")["dice_tumour_sd"])


def test_intervals_equal_a_plain_bootstrap_of_patients(scores):
    row = pick(compare_segmenters(TRAININGS, scores, floors(), WEIGHTS, 4000, 1), "unet3d")
    rng = np.random.default_rng(0)
    confusions = [scores[number][COUNTS].to_numpy().reshape(-1, 3, 3) for number in (0, 2)]
    dice = np.mean([scores[number]["dice_tumour"] for number in (0, 2)], axis=0)
    drawn = rng.integers(0, 6, (4000, 6))
    pooled = [np.mean([weighted_jaccard(own[d].sum(axis=0), WEIGHTS) for own in confusions]) for d in drawn]
    for score, values in (("dice_tumour", dice[drawn].mean(axis=1)), ("weighted_jaccard", pooled)):
        ends = np.quantile(values, [0.025, 0.975])
        found = [row[f"{score}_{end}"] for end in ("low", "high")]
        assert found == pytest.approx(ends, abs=0.1 * (ends[1] - ends[0]))


def test_the_weighted_jaccard_pools_all_patients(comparison, scores):
    pooled = scores[1][COUNTS].sum().to_numpy().reshape(3, 3)
    assert pick(comparison, "unet2d")["weighted_jaccard"] == pytest.approx(weighted_jaccard(pooled, WEIGHTS))


def test_the_size_of_volume_errors_does_not_cancel_out(comparison, scores):
    row, errors = pick(comparison, "unet2d"), scores[1]["volume_error_ml_kidney"]
    assert row["volume_error_ml_kidney"] == pytest.approx(errors.mean())
    assert row["absolute_volume_error_ml_kidney"] == pytest.approx(errors.abs().mean())


def test_the_thesis_stands_beside_the_networks_that_it_measured(comparison):
    row = pick(comparison, "unet2d")
    assert (row["parameters"], row["thesis_parameters"]) == (200, 2_465_619)
    assert row["thesis_weighted_jaccard"] == 0.8633
    other = comparison.set_index("network").loc[["denseunet_small", "no_tumour"]]
    assert other["thesis_weighted_jaccard"].isna().all()
    assert other["thesis_parameters"].isna().all()


def test_floors_are_scored_as_networks_are(comparison):
    assert pick(comparison, "all_background")["dice_kidney_and_tumour"] == 0
    kidneys = pick(comparison, "no_tumour")
    assert (kidneys["dice_kidney_and_tumour"], kidneys["dice_tumour"]) == (1, 0)
    assert 0 < pick(comparison, "all_background")["weighted_jaccard"] < kidneys["weighted_jaccard"] < 1


def test_one_patient_has_no_interval(scores):
    few = [own[:1] for own in scores]
    first = floors().groupby("network").head(1)
    row = pick(compare_segmenters(TRAININGS, few, first, WEIGHTS, 50, 1), "unet3d")
    assert all(np.isnan(row[f"{score}_low"]) and np.isfinite(row[score]) for score in SCORES)


def test_the_order_of_cases_changes_nothing(comparison, scores):
    shuffled = [own.sample(frac=1, random_state=3) for own in scores]
    again = compare_segmenters(TRAININGS, shuffled, floors(), WEIGHTS, 500, 1)
    assert again.equals(comparison)
    assert not compare_segmenters(TRAININGS, scores, floors(), WEIGHTS, 500, 2).equals(comparison)


def test_networks_of_different_cases_are_not_compared(scores):
    fewer = [scores[0], scores[1][1:], *scores[2:]]
    with pytest.raises(InputError, match="once each of case_00000"):
        compare_segmenters(TRAININGS, fewer, floors(), WEIGHTS, 50, 1)
    with pytest.raises(InputError, match="no dice_tumour"):
        compare_segmenters(
            TRAININGS, [s.drop(columns="dice_tumour") for s in scores], floors(), WEIGHTS, 50, 1
        )


def test_metrics_are_flat_and_finite(comparison):
    metrics = flatten_metrics(comparison, {"unet2d": 0.4, "unet3d": float("nan")})
    assert metrics["test_cases"] == 6
    assert metrics["test_unet2d_dice_tumour"] == pick(comparison, "unet2d")["dice_tumour"]
    assert metrics["test_no_tumour_weighted_jaccard"] < 1
    assert metrics["test_unet2d_spearman_dice_tumour_volume"] == 0.4
    assert "test_unet3d_spearman_dice_tumour_volume" not in metrics
    assert {"test_unet3d_dice_kidney_low", "test_unet3d_dice_kidney_high"} <= set(metrics)
    assert all(type(value) in (int, float) and np.isfinite(value) for value in metrics.values())
