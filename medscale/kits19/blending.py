"""Predictions of overlapping blocks of slices, blended into one for each slice.

A network sees less of what is around a slice at the ends of its block. So where blocks overlap, each counts
less towards its ends, and the probabilities pass smoothly from one block into the next.
"""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor


def block_weights(depth: int, overlap: int) -> Tensor:
    """Return how much each slice of a block counts, float32 of shape (depth,), above 0 and at most 1.

    Weights fall linearly over `overlap` slices at both ends, so that those of two neighbours add up to 1.
    """
    place = torch.arange(1, depth + 1, dtype=torch.float32)
    return (torch.minimum(place, place.flip(0)) / (overlap + 1)).clamp(max=1)


def blend_blocks(blocks: Iterable[tuple[int, Tensor]], slices: int, weights: Tensor) -> Iterator[Tensor]:
    """Yield the weighted mean of all blocks for each slice, as soon as no later block can change it.

    No more than one block of sums is held.

    Parameters
    ----------
    blocks : iterable of (int, Tensor)
        The slice with which a block begins, and its values, shape (depth, ...); in ascending order and
        without gaps. What lies beyond the last slice is left out.
    slices : int
        Slices of the case.
    weights : Tensor, shape (depth,)

    Yields
    ------
    Tensor, shape (...)
        One for each slice, in order.

    Raises
    ------
    ValueError
        If a slice is in no block.
    """
    start, sums, totals = 0, None, torch.zeros_like(weights)
    for first, block in blocks:
        if not start <= first <= start + (0 if sums is None else len(weights)):
            raise ValueError(f"a block from slice {first} on does not follow one from slice {start} on")
        sums = torch.zeros_like(block) if sums is None else sums
        done = first - start
        yield from _means(sums[:done], totals[:done])
        sums, totals, start = _move(sums, done), _move(totals, done), first
        sums += block * _spread(weights, block)
        totals += weights
    if sums is None or start + len(weights) < slices:
        raise ValueError(f"no block reaches slice {slices - 1}")
    yield from _means(sums[: slices - start], totals[: slices - start])


def _means(sums: Tensor, totals: Tensor) -> Iterator[Tensor]:
    for values, total in zip(sums, totals, strict=True):
        yield values / total


def _move(values: Tensor, places: int) -> Tensor:
    """Return values that begin so many places later, with zeros at their end."""
    return torch.cat([values[places:], torch.zeros_like(values[:places])]) if places else values


def _spread(weights: Tensor, block: Tensor) -> Tensor:
    return weights.to(block.device).reshape(-1, *[1] * (block.ndim - 1))
