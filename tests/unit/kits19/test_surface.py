import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, gaussian_filter

from medscale.kits19 import surface
from medscale.kits19.surface import bounding_box, surface_dice

UNIT = (1.0, 1.0, 1.0)
EDGE, CORNER = np.sqrt(2) / 2, np.sqrt(3) / 8


def cube(edge=6, start=(4, 4, 4), shape=(20, 20, 20)):
    mask = np.zeros(shape, bool)
    mask[tuple(slice(first, first + edge) for first in start)] = True
    return mask


def blobs(seed, shape=(30, 40, 50)):
    return gaussian_filter(np.random.default_rng(seed).normal(size=shape), 3) > 0.02


def area(mask, spacing_mm):
    return surface._surface(mask, spacing_mm)[1].sum()


def test_the_area_of_a_cube_has_its_edges_cut():
    """25 whole squares a side, 5 cut elements an edge, and 8 corners."""
    assert area(cube(), UNIT) == pytest.approx(6 * 25 + 12 * 5 * EDGE + 8 * CORNER)


@pytest.mark.parametrize(("code", "area_mm2"), [(0b00001111, 0.4), (0b00110011, 2.4), (0b01010101, 1.5)])
def test_a_flat_surface_has_the_area_of_a_voxel_s_side(code, area_mm2):
    areas = surface._areas_mm2((3.0, 0.5, 0.8))
    assert areas[[code, 255 - code]] == pytest.approx([area_mm2] * 2)
    assert areas[[0, 255]].tolist() == [0, 0]


def test_a_region_against_itself_and_beyond_tolerance():
    assert surface_dice(cube(), cube(), UNIT, 0.0) == 1
    assert surface_dice(cube(3, (0, 0, 0)), cube(3, (10, 10, 10)), UNIT, 2.0) == 0


def test_a_cube_shifted_by_one_voxel_by_hand():
    """Below a voxel of tolerance only the four sides that lie on each other count.

    Between both ends these are 5 rings of 20 squares and 4 edges; each ring where the one cube ends counts
    for its own 20 edges and 4 corners.
    """
    same = 5 * (20 + 4 * EDGE) + 20 * EDGE + 4 * CORNER
    total = 6 * 25 + 12 * 5 * EDGE + 8 * CORNER
    shifted = cube(start=(5, 4, 4))
    assert surface_dice(cube(), shifted, UNIT, 0.99) == pytest.approx(same / total)
    assert surface_dice(cube(), shifted, UNIT, 1.0) == 1


@pytest.mark.parametrize(("axis", "step_mm"), [(0, 5.0), (1, 0.7), (2, 0.8)])
def test_the_tolerance_is_measured_in_mm_along_each_axis(axis, step_mm):
    spacing, shifted = (5.0, 0.7, 0.8), cube(start=tuple(4 + 2 * (axis == a) for a in range(3)))
    assert surface_dice(cube(), shifted, spacing, 2 * step_mm) == 1
    assert surface_dice(cube(), shifted, spacing, 2 * step_mm - 0.01) < 1


def test_it_equals_the_measure_by_distance_transforms():
    spacing, tolerance = (5.0, 0.78, 0.9), 3.1
    masks = [blobs(0), blobs(1)]
    codes = [surface._corner_codes(mask) for mask in masks]
    on_surface = [(code != 0) & (code != 255) for code in codes]
    areas = [surface._areas_mm2(spacing)[code] for code in codes]
    away = [distance_transform_edt(~border, sampling=spacing) for border in on_surface]
    near = sum(areas[a][on_surface[a] & (away[1 - a] <= tolerance)].sum() for a in (0, 1))
    expected = near / sum(areas[a][on_surface[a]].sum() for a in (0, 1))
    found = surface_dice(*masks, spacing, tolerance)
    assert found == pytest.approx(expected)
    assert 0.5 < found < 0.9
    assert found == pytest.approx(surface_dice(*masks[::-1], spacing, tolerance))


def test_a_region_at_the_edge_of_the_volume_has_a_surface_there():
    whole = np.ones((4, 5, 6), bool)
    assert area(whole, UNIT) == pytest.approx(area(np.pad(whole, 2), UNIT))
    assert surface_dice(whole, whole, UNIT, 0.5) == 1


def test_empty_regions_have_a_score():
    empty = np.zeros((5, 5, 5), bool)
    assert surface_dice(empty, empty, UNIT, 1.0) == 1
    one = cube(2, (1, 1, 1), (5, 5, 5))
    assert surface_dice(empty, one, UNIT, 9.0) == surface_dice(one, empty, UNIT, 9.0) == 0


def test_the_box_around_a_region():
    assert bounding_box(cube(3, (1, 2, 4))) == (slice(1, 4), slice(2, 5), slice(4, 7))
    assert cube()[bounding_box(np.zeros((20, 20, 20), bool))].size == 0
