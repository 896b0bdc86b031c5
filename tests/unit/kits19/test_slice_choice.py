import numpy as np
import pytest

from medscale.kits19.slice_choice import MissedTumour, choose_missed, rate_slices, spread_slices


def missed(number, lost, kept, area=10.0):
    return MissedTumour("case_00000", number, lost, kept, area)


def test_slices_are_spread_over_the_tumour_and_else_over_the_kidney():
    labels = np.zeros((40, 3, 3), np.uint8)
    assert spread_slices(labels, 2) == [10, 30]
    labels[10:30, 1, 1] = 1
    assert spread_slices(labels, 2) == [15, 25]
    labels[20:24, 0, 0] = 2
    assert spread_slices(labels, 2) == [21, 23]
    assert spread_slices(labels, 4) == [20, 21, 22, 23]
    assert spread_slices(labels, 9) == [20, 21, 22, 23]


def test_every_slice_with_tumour_is_rated():
    truth = np.zeros((5, 4, 4), np.uint8)
    truth[1:4, 1:3, 1:3] = 2
    lost, kept = np.minimum(truth, 1), truth.copy()
    kept[2, 1] = 0
    rated = rate_slices("a", truth, lost, kept, 0.5)
    assert [one.slice for one in rated] == [1, 2, 3]
    assert [one.lost_dice for one in rated] == [0, 0, 0]
    assert [one.kept_dice for one in rated] == pytest.approx([1, 2 * 2 / 6, 1])
    assert {one.area_mm2 for one in rated} == {2.0}


def test_the_largest_tumour_that_is_lost_and_kept_is_chosen():
    rated = [
        missed(0, 0.0, 0.9, area=5),
        missed(1, 0.05, 0.6, area=50),
        missed(2, 0.2, 0.9, area=500),
        missed(3, 0.0, 0.4, area=500),
    ]
    assert choose_missed(rated).slice == 1
    assert choose_missed(rated).is_missed


def test_where_none_is_lost_the_largest_lead_is_chosen():
    chosen = choose_missed([missed(0, 0.6, 0.7, 900), missed(1, 0.3, 0.8), missed(2, 0.9, 0.2)])
    assert chosen.slice == 1
    assert not chosen.is_missed
    assert choose_missed([]) is None
