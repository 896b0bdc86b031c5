import numpy as np
from matplotlib.figure import Figure

from medscale.figures.outlines import draw_outlined


def _draw(masks):
    axes = Figure().add_subplot()
    draw_outlined(axes, np.zeros((6, 8)), [(mask, "#ff0000") for mask in masks], (0, 255))
    return axes


def test_an_outline_runs_between_pixels_and_closes_at_the_edge():
    mask = np.zeros((6, 8), bool)
    mask[0:2, 5:8] = True
    axes = _draw([mask])
    corners = axes.collections[0].get_paths()[0].vertices
    assert corners.min(axis=0).tolist() == [4.5, -0.5]
    assert corners.max(axis=0).tolist() == [7.5, 1.5]
    assert corners[0].tolist() == corners[-1].tolist()
    assert axes.get_xlim() == (-0.5, 7.5)
    assert axes.get_ylim() == (5.5, -0.5)


def test_an_empty_mask_has_no_outline():
    assert not _draw([np.zeros((6, 8), bool)]).collections


def test_the_picture_is_drawn_between_the_limits():
    assert _draw([]).images[0].get_clim() == (0, 255)
