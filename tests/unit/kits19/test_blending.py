import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from medscale.kits19.blending import blend_blocks, block_weights
from medscale.kits19.slices_and_blocks import block_starts


def plain_mean(blocks, slices, weights):
    """The same with all blocks at hand."""
    longest = max(first for first, _ in blocks) + len(weights)
    sums, totals = torch.zeros(longest, *blocks[0][1].shape[1:]), torch.zeros(longest)
    for first, block in blocks:
        sums[first : first + len(weights)] += block * weights.reshape(-1, 1, 1)
        totals[first : first + len(weights)] += weights
    return (sums / totals.clamp(min=1e-9).reshape(-1, 1, 1))[:slices]


def blocks_of(volume, depth, overlap):
    """Blocks of a volume, the last padded with 99 beyond its end."""
    padded = torch.cat([volume, torch.full((depth, *volume.shape[1:]), 99.0)])
    starts = block_starts(len(volume), depth, overlap)
    return [(first, padded[first : first + depth].clone()) for first in starts]


def test_blocks_of_the_thesis_overlap_by_twelve_and_end_with_the_case():
    assert block_starts(100, 32, 12) == [0, 20, 40, 60, 68]
    assert block_starts(92, 32, 12) == [0, 20, 40, 60]
    assert block_starts(32, 32, 12) == block_starts(7, 32, 12) == [0]
    for depth, overlap in ((8, 8), (8, -1)):
        with pytest.raises(ValueError, match="overlap"):
            block_starts(20, depth, overlap)


def test_weights_fall_over_the_overlap_and_neighbours_add_up_to_one():
    weights = block_weights(8, 3)
    assert weights.tolist() == [0.25, 0.5, 0.75, 1, 1, 0.75, 0.5, 0.25]
    assert (weights[:3] + weights[-3:]).tolist() == [1, 1, 1]
    assert block_weights(4, 0).tolist() == [1, 1, 1, 1]
    # More than half a block: weights never reach 1, but still fall to both ends.
    assert block_weights(4, 3).tolist() == [0.25, 0.5, 0.5, 0.25]


@settings(deadline=None, max_examples=50)
@given(slices=st.integers(1, 40), depth=st.integers(1, 12), data=st.data())
def test_blending_is_the_weighted_mean_of_all_blocks(slices, depth, data):
    overlap = data.draw(st.integers(0, depth - 1))
    random = torch.Generator().manual_seed(slices)
    weights = block_weights(depth, overlap)
    blocks = [
        (first, torch.rand(depth, 2, 3, generator=random)) for first in block_starts(slices, depth, overlap)
    ]
    blended = torch.stack(list(blend_blocks(blocks, slices, weights)))
    torch.testing.assert_close(blended, plain_mean(blocks, slices, weights))


@settings(deadline=None, max_examples=50)
@given(slices=st.integers(1, 40), depth=st.integers(1, 12), data=st.data())
def test_blocks_that_agree_give_the_volume_back_without_its_padding(slices, depth, data):
    overlap = data.draw(st.integers(0, depth - 1))
    volume = torch.arange(slices * 6.0).reshape(slices, 2, 3)
    blended = blend_blocks(blocks_of(volume, depth, overlap), slices, block_weights(depth, overlap))
    torch.testing.assert_close(torch.stack(list(blended)), volume)


def test_two_blocks_by_hand():
    blocks = [(0, torch.full((3, 1), 1.0)), (2, torch.full((3, 1), 5.0))]
    weights = torch.tensor([1.0, 2.0, 3.0])
    # The shared slice has the weight 3 in the first block and 1 in the second.
    assert torch.cat(list(blend_blocks(blocks, 5, weights))).tolist() == [1, 1, (3 + 5) / 4, 5, 5]


def test_a_slice_is_given_before_the_next_block_is_asked_for():
    asked = []

    def blocks():
        for first in (0, 2, 4):
            asked.append(first)
            yield first, torch.ones(4, 1)

    stream = blend_blocks(blocks(), 8, torch.ones(4))
    next(stream)
    assert asked == [0, 2]


def test_gaps_and_missing_ends_are_refused():
    block = torch.ones(2, 1)
    for blocks, message in (
        ([(0, block), (3, block)], "does not follow"),
        ([(1, block)], "does not follow"),
        ([(0, block), (1, block), (0, block)], "does not follow"),
        ([(0, block), (2, block)], "no block reaches slice 4"),
        ([], "no block reaches"),
    ):
        with pytest.raises(ValueError, match=message):
            list(blend_blocks(blocks, 5, torch.ones(2)))
