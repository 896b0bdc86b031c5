import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from medscale.errors import InputError
from medscale.pathology.agreement import (
    bootstrap_interval,
    bootstrap_kappa,
    bootstrap_share,
    count_confusion,
    quadratic_kappa,
)
from medscale.pathology.staging import STAGES

OFFICIAL = ["pn0", "pn0(i+)", "pn1mi", "pn1", "pn2"]
PAIRS = st.lists(st.tuples(st.sampled_from(STAGES), st.sampled_from(STAGES)), min_size=1, max_size=40)


@settings(max_examples=100, deadline=None)
@given(PAIRS)
@pytest.mark.filterwarnings("ignore")
def test_kappa_equals_the_official_script(pairs):
    true, predicted = zip(*pairs, strict=True)
    kappa = quadratic_kappa(true, predicted)
    if len({*true, *predicted}) == 1:
        assert kappa is None
        return
    lower = [[name.lower() for name in names] for names in (true, predicted)]
    assert kappa == pytest.approx(cohen_kappa_score(*lower, labels=OFFICIAL, weights="quadratic"), abs=1e-12)
    assert -1 - 1e-12 <= kappa <= 1
    assert (kappa == 1) == (true == predicted)


def test_the_order_of_the_labels_is_not_that_of_their_names():
    true = ["pN0", "pN1mi", "pN1", "pN2", "pN2", "pN1mi"]
    predicted = ["pN0", "pN1", "pN1", "pN2", "pN1", "pN0"]
    unordered = cohen_kappa_score(true, predicted, weights="quadratic")
    assert abs(quadratic_kappa(true, predicted) - unordered) > 0.02


def test_a_constant_prediction_has_kappa_zero_and_no_patient_has_none():
    assert quadratic_kappa(["pN0", "pN1", "pN2"], ["pN1"] * 3) == 0
    assert quadratic_kappa([], []) is None
    assert quadratic_kappa(["PN0", "pn2"], ["pn0", "PN2"]) == 1


def test_unknown_labels_and_unequal_lengths_are_refused():
    with pytest.raises(InputError, match="pN3"):
        quadratic_kappa(["pN3"], ["pN0"])
    with pytest.raises(InputError, match="1 and 2"):
        quadratic_kappa(["pN0"], ["pN0", "pN1"])


def test_confusion_has_true_rows_and_predicted_columns():
    counts = count_confusion(["a", "a", "b"], ["a", "b", "b"], ["a", "b", "c"])
    assert counts.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]


def drift_patients(count: int) -> tuple[list[str], list[str]]:
    rng = np.random.default_rng(0)
    true = rng.integers(0, 5, count)
    step = np.where(rng.random(count) < 0.25, rng.choice([-1, 1], count), 0)
    return [STAGES[t] for t in true], [STAGES[p] for p in np.clip(true + step, 0, 4)]


def test_the_interval_holds_the_kappa_and_narrows_with_more_patients():
    widths = []
    for count in (20, 100):
        true, predicted = drift_patients(count)
        low, high = bootstrap_kappa(true, predicted, resamples=2000, seed=1)
        assert low < quadratic_kappa(true, predicted) < high
        widths.append(high - low)
    assert widths[1] < 0.7 * widths[0]
    assert widths[0] == pytest.approx(0.12, abs=0.08)


def test_the_interval_equals_a_plain_bootstrap_and_repeats_itself():
    true, predicted = drift_patients(30)
    low, high = bootstrap_kappa(true, predicted, resamples=4000, seed=1)
    assert bootstrap_kappa(true, predicted, resamples=4000, seed=1) == (low, high)
    assert bootstrap_kappa(true, predicted, resamples=4000, seed=2) != (low, high)
    rng = np.random.default_rng(5)
    draws = [rng.integers(0, 30, 30) for _ in range(600)]
    plain = [quadratic_kappa([true[i] for i in draw], [predicted[i] for i in draw]) for draw in draws]
    assert [low, high] == pytest.approx(np.quantile(plain, [0.025, 0.975]), abs=0.02)


def test_too_few_or_mostly_undefined_resamples_give_no_interval():
    assert bootstrap_kappa(["pN0"], ["pN1"], resamples=50, seed=1) == (None, None)
    assert bootstrap_kappa([], [], resamples=50, seed=1) == (None, None)
    assert bootstrap_kappa(["pN0", "pN1"], ["pN0", "pN1"], resamples=200, seed=1) == (None, None)


def test_a_few_undefined_resamples_are_left_out():
    def statistic(weights):
        return np.where(np.arange(len(weights)) < 0.04 * len(weights), np.nan, 1.0)

    assert bootstrap_interval(statistic, 3, resamples=100, seed=1, name="x") == (1.0, 1.0)


def test_slides_of_one_patient_are_drawn_together():
    hits = np.repeat([True, False, True, True], 25)
    together = bootstrap_share(hits, np.repeat(list("abcd"), 25), resamples=2000, seed=1, name="x")
    apart = bootstrap_share(hits, [str(i) for i in range(100)], resamples=2000, seed=1, name="x")
    assert together[1] - together[0] > 3 * (apart[1] - apart[0])
    assert apart[0] < 0.75 < apart[1]
