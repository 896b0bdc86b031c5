import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nibabel.orientations import axcodes2ornt, inv_ornt_aff, ornt_transform

from medscale.sparse_ct.axial import axial_layout, spacing_mm, tilt_degrees

ENDS = st.tuples(st.sampled_from("RL"), st.sampled_from("AP"), st.sampled_from("SI"))
CODES = ENDS.flatmap(st.permutations).map(tuple)


def affine_of(codes, steps=(0.7, 0.8, 2.5)):
    """Return an affine whose file axes have these directions, with steps to the right, front and head."""
    wanted = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(codes))
    return np.diag([*steps, 1.0]) @ inv_ornt_aff(wanted, (3, 4, 5))


@given(CODES)
def test_rows_run_from_front_to_back_and_columns_from_right_to_left(codes):
    """In every one of the 48 orientations, steps in rows and columns lead where radiologists expect."""
    affine = affine_of(codes)
    assert nibabel.aff2axcodes(affine) == codes
    shape = tuple({"R": 3, "L": 3, "A": 4, "P": 4, "S": 5, "I": 5}[code] for code in codes)
    places = np.moveaxis(np.indices(shape), 0, -1) @ affine[:3, :3].T + affine[:3, 3]
    layout = axial_layout(affine)
    right, front, head = (layout.to_slices(places[..., way]) for way in range(3))
    assert right.shape == (5, 4, 3)
    np.testing.assert_allclose(np.diff(right, axis=2), -0.7)
    np.testing.assert_allclose(np.diff(front, axis=1), -0.8)
    upwards = 2.5 if "S" in codes else -2.5
    np.testing.assert_allclose(np.diff(head, axis=0), upwards)
    np.testing.assert_allclose(spacing_mm(affine, layout), [2.5, 0.8, 0.7])


@given(CODES)
def test_slices_go_back_to_the_axes_of_the_file(codes):
    layout = axial_layout(affine_of(codes))
    values = np.random.default_rng(0).random((3, 4, 5))
    np.testing.assert_array_equal(layout.to_file(layout.to_slices(values)), values)


@pytest.mark.parametrize("degrees", [0, 3, 8, 40])
def test_the_tilt_is_that_of_the_slices(degrees):
    angle = np.radians(degrees)
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    affine = turn @ affine_of(("L", "P", "S"))
    assert tilt_degrees(affine, axial_layout(affine)) == pytest.approx(degrees, abs=1e-6)


def test_shear_counts_as_tilt():
    affine = affine_of(("L", "P", "S"))
    affine[1, 2] = 2.5 * np.tan(np.radians(12))
    assert tilt_degrees(affine, axial_layout(affine)) == pytest.approx(12)


def test_a_turn_within_the_slice_is_no_tilt():
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]]
    affine = turn @ affine_of(("L", "P", "S"))
    assert tilt_degrees(affine, axial_layout(affine)) == pytest.approx(0, abs=1e-6)
