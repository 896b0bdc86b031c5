import numpy as np
import pandas as pd
import pytest

from medscale.errors import InputError
from medscale.scans.intervals import GroupDraws, align_seeds, estimate_mean


def table(names="abcd", predicted="xxyy"):
    groups = ["g", "g", "h", "i"][: len(names)]
    facts = {"image": list(names), "group": groups, "split": "test", "class": "x"}
    return pd.DataFrame(facts).assign(predicted=list(predicted))


def test_images_of_a_group_are_drawn_together():
    draws = GroupDraws.of(["g", "g", "h", "i"], 300, 1)
    assert draws.weights.shape == (300, 4)
    assert (draws.weights[:, 0] == draws.weights[:, 1]).all()
    # Three groups are drawn each time, so that copies do not make the sample larger.
    assert (draws.weights[:, 1:].sum(axis=1) == 3).all()
    assert len(np.unique(draws.weights[:, 2])) > 2


def test_draws_depend_on_groups_and_seed_and_not_on_the_order_of_images():
    one, other = GroupDraws.of(["b", "a", "a"], 50, 1), GroupDraws.of(["a", "a", "b"], 50, 1)
    assert (one.weights[:, 0] == other.weights[:, 2]).all()
    assert (one.weights != GroupDraws.of(["b", "a", "a"], 50, 2).weights).any()


def test_mean_interval_and_spread_over_seeds():
    groups = ["a", "b", "c", "d"]
    values = np.array([[1, 1, 0, 0], [1, 1, 1, 1]], float)
    estimate = estimate_mean("iou", values, GroupDraws.of(groups, 4000, 0))
    assert estimate["iou"] == 0.75
    assert estimate["iou_sd"] == pytest.approx(np.sqrt(0.125))
    # Seeds are averaged before: the mean of 4 draws of 1, 1, 0.5, 0.5 is a half plus an eighth of a
    # binomial number of 4, whose 2.5 % and 97.5 % quantiles are 0 and 4.
    assert (estimate["iou_low"], estimate["iou_high"]) == (0.5, 1.0)


def test_an_interval_of_copies_is_wider_than_one_of_as_many_different_images():
    values = np.repeat([[0.0, 1.0] * 5], 4, axis=1)
    alone = estimate_mean("a", values, GroupDraws.of([str(n) for n in range(40)], 2000, 0))
    copies = estimate_mean("a", values, GroupDraws.of([str(n // 4) for n in range(40)], 2000, 0))
    assert copies["a"] == alone["a"] == 0.5
    assert copies["a_high"] - copies["a_low"] > 1.7 * (alone["a_high"] - alone["a_low"])


def test_what_cannot_be_told_is_missing():
    single = estimate_mean("a", np.array([[1.0, 0.0]]), GroupDraws.of(["g", "g"], 10, 0))
    assert single["a"] == 0.5
    assert np.isnan([single["a_low"], single["a_high"], single["a_sd"]]).all()
    nothing = estimate_mean("a", np.empty((2, 0)), GroupDraws.of([], 10, 0))
    assert list(nothing) == ["a", "a_low", "a_high", "a_sd"]
    assert np.isnan(list(nothing.values())).all()


def test_seeds_are_brought_into_one_order():
    one, other = align_seeds([table(), table()[::-1]], "here")
    assert one["image"].tolist() == other["image"].tolist() == list("abcd")
    assert one["predicted"].tolist() == other["predicted"].tolist() == list("xxyy")


@pytest.mark.parametrize(
    "tables",
    [
        [table(), table("abce")],
        [table(), table("abc", "xxy")],
        [table(), table().assign(split="train")],
        [table("aacd")],
    ],
)
def test_tables_of_different_images_are_refused(tables):
    with pytest.raises(InputError, match=r"here.*tables of different images.*the same images, groups"):
        align_seeds(tables, "here")


def test_no_table_is_refused():
    with pytest.raises(InputError, match="no table"):
        align_seeds([], "here")
