from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medscale.kits19.slices_and_blocks import Balancing, choose_slices, cut_blocks, tabulate_slices

EVERYTHING, FOREGROUND, REPEATED = Balancing(False, 0), Balancing(True, 0), Balancing(True, 4)


def table(case, slices, kidney=(), tumour=()):
    """Return a case whose slices in `kidney` and `tumour` have one pixel of it."""
    labels = np.zeros((slices, 4, 4), np.uint8)
    labels[list(kidney), 0, 0] = 1
    labels[list(tumour), 1, 1] = 2
    return tabulate_slices(case, labels)


def blocks_of(slices, depth, overlap, balancing):
    blocks = cut_blocks(slices, depth, overlap, balancing)
    return list(blocks[["first", "repeats"]].itertuples(index=False, name=None))


def test_pixels_are_counted():
    labels = np.zeros((3, 5, 6), np.uint8)
    labels[1, :2], labels[1, 3, :4], labels[2, 0, 0] = 1, 2, 2
    counted = tabulate_slices("a", labels)
    assert list(counted.columns) == ["case", "slice", "kidney_px", "tumour_px"]
    assert counted.to_numpy().tolist() == [["a", 0, 0, 0], ["a", 1, 12, 4], ["a", 2, 0, 1]]


def test_three_steps_of_balancing():
    slices = pd.concat([table("a", 6, kidney=(2, 4), tumour=(4, 5)), table("b", 3, kidney=(0,))])
    chosen = [choose_slices(slices, step) for step in (EVERYTHING, FOREGROUND, REPEATED)]
    assert [len(step) for step in chosen] == [9, 4, 4]
    assert [step["repeats"].sum() for step in chosen] == [9, 4, 12]
    rows = chosen[2][["case", "slice", "repeats"]].to_numpy().tolist()
    assert rows == [["a", 2, 1], ["a", 4, 5], ["a", 5, 5], ["b", 0, 1]]
    assert choose_slices(slices, Balancing(False, 2))["repeats"].tolist() == [1, 1, 1, 1, 3, 3, 1, 1, 1]


def test_blocks_overlap_and_the_last_one_ends_with_the_case():
    assert blocks_of(table("a", 70), 32, 12, EVERYTHING) == [(0, 1), (20, 1), (38, 1)]
    assert blocks_of(table("a", 72), 32, 12, EVERYTHING) == [(0, 1), (20, 1), (40, 1)]
    assert blocks_of(table("a", 64), 32, 0, EVERYTHING) == [(0, 1), (32, 1)]
    assert blocks_of(table("a", 32), 32, 12, EVERYTHING) == [(0, 1)]


def test_blocks_keep_to_the_kidneys_without_gaps():
    """A gap between the kidneys stays in its block: dropping it would show an anatomy that nobody has."""
    slices = table("a", 100, kidney=[*range(20, 30), *range(50, 61)])
    assert blocks_of(slices, 32, 12, FOREGROUND) == [(20, 1), (29, 1)]


def test_a_short_range_is_widened_to_both_sides():
    assert blocks_of(table("a", 100, kidney=range(40, 50)), 32, 12, FOREGROUND) == [(29, 1)]
    assert blocks_of(table("a", 100, kidney=range(3, 10)), 32, 12, FOREGROUND) == [(0, 1)]
    assert blocks_of(table("a", 100, kidney=range(90, 99)), 32, 12, FOREGROUND) == [(68, 1)]


def test_a_short_case_is_kept_and_padded():
    for balancing in (EVERYTHING, FOREGROUND):
        blocks = cut_blocks(table("a", 20, kidney=range(5, 9)), 32, 12, balancing)
        assert blocks[["first", "slices"]].to_numpy().tolist() == [[0, 32]]


def test_blocks_with_tumour_are_repeated_whole():
    slices = pd.concat([table("a", 60, kidney=range(60), tumour=(3,)), table("b", 32, kidney=(1,))])
    blocks = cut_blocks(slices, 32, 12, REPEATED)
    rows = blocks[["case", "first", "slices", "tumour_px", "repeats"]].to_numpy().tolist()
    assert rows == [["a", 0, 32, 1, 5], ["a", 20, 32, 0, 1], ["a", 28, 32, 0, 1], ["b", 0, 32, 0, 1]]


def test_a_case_without_kidney_has_blocks_only_where_background_is_kept():
    slices = table("a", 40)
    assert len(cut_blocks(slices, 32, 12, EVERYTHING)) == 2
    none = cut_blocks(slices, 32, 12, FOREGROUND)
    assert len(none) == 0
    assert none[["first", "slices", "tumour_px", "repeats"]].dtypes.eq("int64").all()


@pytest.mark.parametrize(("depth", "overlap"), [(32, 32), (32, -1), (0, 0)])
def test_blocks_that_would_not_advance_are_refused(depth, overlap):
    with pytest.raises(ValueError, match="overlap"):
        cut_blocks(table("a", 40), depth, overlap, EVERYTHING)


@given(
    slices=st.integers(1, 80),
    shown=st.sets(st.integers(0, 79), max_size=12),
    depth=st.integers(1, 40),
    overlap=st.integers(0, 39),
)
def test_blocks_cover_the_kidneys_in_order(slices, shown, depth, overlap):
    shown, overlap = [number for number in shown if number < slices], min(overlap, depth - 1)
    blocks = cut_blocks(table("a", slices, kidney=shown), depth, overlap, FOREGROUND)
    starts = blocks["first"].tolist()
    assert starts == sorted(set(starts))
    covered = {number for start in starts for number in range(start, start + depth)}
    assert set(shown) <= covered
    # Padding only where a case is shorter than a block, and steps never leave a gap or a smaller overlap.
    assert all(start + depth <= max(slices, depth) for start in starts)
    assert all(later - earlier <= depth - overlap for earlier, later in pairwise(starts))
