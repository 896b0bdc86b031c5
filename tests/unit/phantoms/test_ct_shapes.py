"""Shapes, canvas, vessels and texture of demo CT against what geometry and statistics say."""

import numpy as np
import pytest

from medscale.phantoms.ct_canvas import FIELD_MM, Canvas
from medscale.phantoms.ct_sections import parse_outlines, parse_points
from medscale.phantoms.ct_shapes import Hose, Organ, Tube, capsule, ellipse, shrink, smooth, string_balls
from medscale.phantoms.ct_texture import draw_noise, draw_texture
from medscale.phantoms.ct_tissues import CODES, NAMES, TISSUES, tabulate_hu
from medscale.phantoms.ct_vessels import BRANCHING, grow_tree

ONE_TISSUE = (np.arange(len(NAMES)) == CODES["bile"]).astype(np.float32)


def area(outline):
    x, y = outline.T
    return 0.5 * abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))


def share_of(canvas):
    return canvas.average(ONE_TISSUE).astype(float)


def middle_mm(share):
    size = len(share)
    places = (np.arange(size) - (size - 1) / 2) * FIELD_MM / size
    return np.array([(share * places).sum(), (share * places[:, None]).sum()]) / share.sum()


@pytest.mark.parametrize("size_px", [64, 100, 128, 512])
def test_a_disc_has_its_area_and_place_at_every_size(size_px):
    canvas = Canvas(size_px)
    canvas.fill(ellipse(20.3, -31.7, 25, 25), "bile")
    share = share_of(canvas)
    assert share.sum() * (FIELD_MM / size_px) ** 2 == pytest.approx(np.pi * 25**2, rel=0.01)
    assert middle_mm(share) == pytest.approx([20.3, -31.7], abs=0.05)


def test_edges_hold_the_share_that_is_covered():
    canvas = Canvas(36)
    canvas.fill(np.array([(-200, -200), (3.0, -200), (3.0, 200), (-200, 200)]), "bile")
    assert share_of(canvas)[18, 16:21] == pytest.approx([1, 1, 0.3, 0, 0], abs=0.02)


def test_turn_and_shift_move_the_patient_but_not_the_table():
    canvas = Canvas(128, turn=np.pi / 2, shift_mm=(0.0, 10.0))
    canvas.fill(ellipse(60, 0, 12, 12), "bile")
    assert middle_mm(share_of(canvas)) == pytest.approx([0, 70], abs=0.05)
    still = Canvas(128, turn=np.pi / 2, shift_mm=(0.0, 10.0))
    still.fill_still(ellipse(60, 0, 12, 12), "bile")
    assert middle_mm(share_of(still)) == pytest.approx([60, 0], abs=0.05)


def test_painting_over_named_tissues_spares_the_others():
    canvas = Canvas(64)
    canvas.fill(ellipse(0, 0, 60, 60), "liver")
    canvas.fill(ellipse(0, 0, 20, 20), "bile", over=("lung",))
    assert share_of(canvas).sum() == 0
    canvas.fill(ellipse(60, 0, 20, 20), "bile", over=("liver",))
    assert np.pi * 20**2 * 0.3 < share_of(canvas).sum() * (FIELD_MM / 64) ** 2 < np.pi * 20**2 * 0.7
    canvas.fill(ellipse(1000, 0, 20, 20), "bile", over=("liver",))
    canvas.fill(None, "bile")


def test_a_tube_with_round_ends_has_the_volume_of_a_cylinder_and_an_ellipsoid():
    tube = Tube(np.array([0.0, 10.0]), np.array([[0, 0, 8, 5, 0.3], [3, 0, 8, 5, 0.3]]), (6.0, 4.0))
    outlines = [tube.outline(z) for z in np.arange(-7, 15, 0.01)]
    volume = 0.01 * sum(area(outline) for outline in outlines if outline is not None)
    assert volume == pytest.approx(np.pi * 40 * (10 + 2 / 3 * 10), rel=0.005)
    assert tube.outline(-6.01) is None
    assert tube.outline(14.01) is None
    assert tube.outline(5.0).mean(axis=0) == pytest.approx([1.5, 0])
    assert tube.moved(1, 2, 3, 2.0).outline(8.0).mean(axis=0) == pytest.approx([2.5, 2])
    assert area(tube.moved(1, 2, 3, 2.0).outline(8.0)) == pytest.approx(4 * area(tube.outline(5.0)))


def test_a_tube_without_caps_ends_at_once():
    tube = Tube(np.array([0.0, 10.0]), np.array([[0, 0, 8, 5, 0]] * 2), (0.0, 0.0))
    assert tube.outline(-0.01) is None
    assert area(tube.outline(0.0)) == pytest.approx(area(tube.outline(10.0)))


def test_an_organ_passes_through_its_sections_and_between_them():
    square = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], float)
    organ = Organ(np.array([0.0, 10.0]), np.stack([square, 3 * square]), (5, 5))
    assert organ.outline(0.0) == pytest.approx(smooth(square))
    assert organ.outline(5.0) == pytest.approx(smooth(2 * square))
    assert area(organ.outline(13.0)) == pytest.approx((1 - 0.36) * area(organ.outline(10.0)))
    assert organ.outline(15.5) is None
    varied = organ.varied(np.random.default_rng(0), 0.025, 5.0)
    assert 0 < np.abs(varied.outline(5.0) - organ.outline(5.0)).max() < 0.6


def test_shrinking_a_disc_takes_a_ring_away():
    assert area(shrink(ellipse(3, 4, 10, 10), 2)) == pytest.approx(np.pi * 64, rel=0.01)
    assert shrink(ellipse(0, 0, 2, 2), 3) is None


def test_a_straight_hose_has_the_section_of_a_cylinder():
    hose = string_balls(np.array([(-60, 5, 0, 12), (60, 5, 0, 12)], float))
    canvas = Canvas(256)
    for outline in hose.outlines(5.0):
        canvas.fill(outline, "bile")
    half = np.sqrt(12**2 - 5**2)
    assert share_of(canvas).sum() * (FIELD_MM / 256) ** 2 == pytest.approx(
        119 * 2 * half + np.pi * half**2, rel=0.02
    )
    assert hose.outlines(12.1) == []
    assert hose.outlines(5.0, wall_mm=7.5) == []


def test_balls_follow_the_line_they_are_given():
    hose = string_balls(np.array([(0, 0, 0, 3), (0, 40, 0, 3), (0, 40, 60, 5)], float))
    assert isinstance(hose, Hose)
    assert np.sqrt((np.diff(hose.centres, axis=0) ** 2).sum(axis=1)).max() < 2
    assert (hose.radii[0], hose.radii[-1]) == pytest.approx((3, 5), abs=0.1)


def test_a_vessel_along_the_view_is_a_disc_and_across_it_a_strip():
    along = capsule(np.array([1.0, 2, -20]), np.array([1.0, 2, 20]), 2.0, 0.0, 1.0)
    assert area(along) == pytest.approx(np.pi * 4, rel=0.03)
    assert along.mean(axis=0) == pytest.approx([1, 2], abs=0.3)
    across = capsule(np.array([0.0, 0, 0.5]), np.array([30.0, 0, 0.5]), 2.0, 0.0, 1.0)
    assert area(across) == pytest.approx(30 * 4 + np.pi * 4, rel=0.03)
    slanting = capsule(np.array([0.0, 0, 0]), np.array([10.0, 0, 10]), 0.5, 5.0, 1.0)
    assert np.ptp(slanting[:, 0]) == pytest.approx(2 + 1, abs=0.05)
    assert capsule(np.array([0.0, 0, 5]), np.array([9.0, 0, 8]), 2.0, 0.0, 1.0) is None


def test_a_tree_reaches_every_target_and_thins_by_murrays_kind_of_law():
    rng = np.random.default_rng(0)
    targets, root = rng.uniform(-50, 50, (60, 3)), np.array([80.0, 0, 0])
    tree = grow_tree(root, targets, 0.5, rng)
    ends = {tuple(end) for end in tree.ends}
    assert all(tuple(target) in ends for target in targets)
    assert all(tuple(start) in ends or np.array_equal(start, root) for start in tree.starts)
    at_root = [
        radius for start, radius in zip(tree.starts, tree.radii, strict=True) if np.array_equal(start, root)
    ]
    assert sum((radius / 0.5) ** BRANCHING for radius in at_root) == pytest.approx(60)
    assert tree.radii.min() == 0.5


def test_texture_is_standard_normal_and_the_same_at_every_size():
    fine = draw_texture(1, "anna", 7.0, 31.0, 512)
    assert fine.mean() == pytest.approx(0, abs=0.1)
    assert fine.std() == pytest.approx(0.8, abs=0.2)
    coarse = draw_texture(1, "anna", 7.0, 31.0, 128)
    averaged = fine.reshape(128, 4, 128, 4).mean(axis=(1, 3))
    assert np.corrcoef(averaged.ravel(), coarse.ravel())[0, 1] > 0.98
    near, far = (draw_texture(1, "anna", 7.0, z, 128) for z in (31.5, 60.0))
    assert np.corrcoef(near.ravel(), coarse.ravel())[0, 1] > 0.95
    assert abs(np.corrcoef(far.ravel(), coarse.ravel())[0, 1]) < 0.1


def test_noise_is_white_enough_to_average_out_and_new_in_every_slice():
    fine, coarse = draw_noise(1, "anna", 0, 512), draw_noise(1, "anna", 0, 128)
    assert fine.std() == pytest.approx(1, abs=0.01)
    assert 0.25 < coarse.std() < 0.6
    assert np.abs(fine.reshape(128, 4, 128, 4).mean(axis=(1, 3)) - coarse).max() < 1e-5
    assert abs(np.corrcoef(fine.ravel(), draw_noise(1, "anna", 1, 512).ravel())[0, 1]) < 0.02


def test_contrast_medium_comes_first_into_arteries_then_into_veins():
    tables = {
        phase: tabulate_hu(phase, np.random.default_rng(0)) for phase in ("native", "arterial", "portal")
    }
    arteries, veins = ([tables[p][CODES[t]] for p in tables] for t in ("artery", "vein"))
    assert arteries[0] == TISSUES["artery"].hu[0]
    assert arteries[1] > arteries[2] > arteries[0] + 50
    assert veins[2] > veins[1] > veins[0]
    assert len({tables[p][CODES["fat"]] for p in tables}) == 1


def test_tables_of_sections_are_read_in_their_order():
    assert parse_points("1,2 -3.5,4").tolist() == [[1, 2], [-3.5, 4]]
    heights, corners = parse_outlines({10: "0,0 1,0 1,1", 20: "0,0 2,0 2,2"})
    assert heights.tolist() == [10, 20]
    assert corners.shape == (2, 3, 2)
