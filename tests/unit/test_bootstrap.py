import numpy as np
import pytest

from medscale.bootstrap import draw_patients, percentile_interval


def test_as_many_patients_are_drawn_as_there_are():
    weights = draw_patients(7, 500, 1, "a")
    assert weights.shape == (500, 7)
    assert (weights.sum(axis=1) == 7).all()
    assert weights.mean(axis=0) == pytest.approx(np.ones(7), abs=0.15)


def test_draws_follow_from_seed_and_names():
    draws = [draw_patients(5, 20, *key) for key in ((1, "a"), (1, "a"), (2, "a"), (1, "b"), (1, "a", 3))]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert all((draws[0] != other).any() for other in draws[2:])


def test_one_patient_cannot_be_drawn_otherwise():
    assert draw_patients(1, 10, 0, "a") is None
    assert draw_patients(0, 10, 0, "a") is None


def test_the_interval_holds_95_percent():
    assert percentile_interval(np.arange(1001.0)) == pytest.approx((25, 975))


def test_the_interval_of_a_mean_has_the_width_of_its_standard_error():
    values = np.random.default_rng(0).normal(3, 2, 200)
    low, high = percentile_interval(draw_patients(200, 4000, 0, "mean") @ values / 200)
    assert (low + high) / 2 == pytest.approx(values.mean(), abs=0.02)
    assert high - low == pytest.approx(2 * 1.96 * values.std() / np.sqrt(200), rel=0.05)
