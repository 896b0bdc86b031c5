from itertools import permutations

import numpy as np
import pytest

from medscale.files.gathered_slices import each_slice

# More slices than one slab of any type holds.
SHAPE = (70, 5, 6)


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "f4", "i8", "f8"])
@pytest.mark.parametrize("axes", list(permutations(range(3))))
@pytest.mark.parametrize("flipped", [(), (0,), (1, 2), (0, 1, 2)])
def test_slices_are_those_of_the_volume_however_it_lies_in_memory(dtype, axes, flipped):
    values = np.random.default_rng(0).integers(0, 255, [SHAPE[axis] for axis in axes]).astype(dtype)
    volume = np.flip(values.transpose(np.argsort(axes)), flipped)
    assert volume.shape == SHAPE
    slices = list(each_slice(volume))
    assert all(one.flags.c_contiguous and one.dtype == values.dtype for one in slices)
    np.testing.assert_array_equal(np.stack(slices), volume)


def test_bits_are_kept():
    """Numbers that are no numbers keep what they are."""
    values = np.full((3, 4, 2), np.nan, "f4", order="F")
    values.view("u4")[1, 2, 1] = 0x7FA00001
    moved = np.stack(list(each_slice(values)))
    assert moved.view("u4")[1, 2, 1] == 0x7FA00001


def test_one_slice_and_one_pixel():
    assert np.stack(list(each_slice(np.ones((1, 3, 4))))).shape == (1, 3, 4)
    assert np.stack(list(each_slice(np.ones((5, 1, 1), order="F")))).shape == (5, 1, 1)
