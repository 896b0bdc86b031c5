from itertools import pairwise

import pandas as pd
import pytest

from medscale.errors import InputError
from medscale.scans.subsets import draw_share


def _train(sizes: dict[str, list[int]]) -> pd.DataFrame:
    """Rows of groups of these sizes a class, one class after the other."""
    rows = [
        (f"{label}{group}_{number}", label, f"{label}{group}")
        for label, own in sizes.items()
        for group, size in enumerate(own)
        for number in range(size)
    ]
    return pd.DataFrame(rows, columns=["image", "class", "group"]).set_index("image", drop=False)


TRAIN = _train({"no": [1] * 8 + [3] * 4, "yes": [2] * 20})


def _groups(table: pd.DataFrame) -> dict[str, set[str]]:
    return {label: set(own["group"]) for label, own in table.groupby("class")}


def test_whole_groups_are_drawn_class_by_class_in_their_order():
    drawn = draw_share(TRAIN, 0.25, seed=1)
    # A quarter of 12 groups, and of 20.
    assert {label: len(own) for label, own in _groups(drawn).items()} == {"no": 3, "yes": 5}
    assert drawn["image"].tolist() == [name for name in TRAIN["image"] if name in set(drawn["image"])]
    whole = TRAIN[TRAIN["group"].isin(drawn["group"])]
    pd.testing.assert_frame_equal(drawn, whole)


def test_smaller_shares_lie_in_larger_ones_of_the_same_seed():
    shares = [0.01, 0.125, 0.25, 0.3, 0.5, 0.9, 1.0]
    drawn = [set(draw_share(TRAIN, share, seed=3)["image"]) for share in shares]
    assert all(small < large for small, large in pairwise(drawn))
    assert drawn[-1] == set(TRAIN["image"])


def test_seeds_draw_different_groups_and_one_seed_the_same():
    first, again, other = (draw_share(TRAIN, 0.25, seed) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(first, again)
    assert _groups(first) != _groups(other)
    turned = draw_share(TRAIN.iloc[::-1], 0.25, 0)
    assert _groups(turned) == _groups(first)


def test_each_class_keeps_a_group():
    assert {label: len(own) for label, own in _groups(draw_share(TRAIN, 0.001, 0)).items()} == {
        "no": 1,
        "yes": 1,
    }


def test_a_group_of_two_classes_counts_for_that_of_most_of_its_images():
    mixed = pd.DataFrame(
        {
            "image": ["a", "b", "c", "d", "e", "f"],
            "class": ["no", "no", "yes", "yes", "no", "yes"],
            "group": ["g", "g", "g", "h", "i", "h"],
        }
    )
    for seed in range(8):
        drawn = set(draw_share(mixed, 0.4, seed)["group"])
        # Of no, g or i; of yes, h alone.
        assert "h" in drawn
        assert len(drawn) == 2


def test_a_class_that_leads_no_group_is_still_there():
    mixed = pd.DataFrame(
        {
            "image": list("abcde"),
            "class": ["no", "no", "yes", "no", "no"],
            "group": ["g", "g", "g", "h", "i"],
        }
    )
    for seed in range(8):
        assert "g" in set(draw_share(mixed, 0.1, seed)["group"])


@pytest.mark.parametrize("share", [0, -0.5, 1.01])
def test_shares_out_of_range_are_refused(share):
    with pytest.raises(InputError, match=r"the share of training images: found .*more than 0, at most 1"):
        draw_share(TRAIN, share, 0)
