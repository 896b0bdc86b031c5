"""Outlines of lesions, and smooth noise."""

import cv2
import numpy as np
import pytest

from medscale.phantoms.grey_files import write_grey
from medscale.phantoms.lesion_outlines import Outline, draw_field, step
from medscale.seeds import generator

NONE = np.zeros((0, 2)), np.zeros((0, 3))


def test_an_ellipse_ends_where_its_axes_do():
    reach = Outline(0.5, 0.4, 0.2, 0.1, *NONE).reach(
        np.array([0.5, 0.7, 0.5, 0.9]), np.array([0.4, 0.4, 0.5, 0.4])
    )
    np.testing.assert_allclose(reach, [0, 1, 1, 2], atol=1e-9)


def test_waves_and_spikes_move_the_outline():
    x, y = np.array([0.2, -0.2, 0.0]), np.array([0.0, 0.0, 0.2])
    waved = Outline(0, 0, 0.2, 0.2, np.array([[0.25, 0.0]]), NONE[1]).reach(x, y)
    np.testing.assert_allclose(waved, [0.8, 0.8, 1 / 0.75])
    spiked = Outline(0, 0, 0.2, 0.2, NONE[0], np.array([[np.pi, 1.0, 0.1]])).reach(x, y)
    np.testing.assert_allclose(spiked, [1, 0.5, 1], atol=1e-9)


@pytest.mark.parametrize("smooth", [0.0, 1.0])
def test_noise_is_the_same_at_any_size(smooth):
    small, large = (draw_field((size, size), (20, 20), generator(0, "field"), smooth) for size in (80, 160))
    assert 0.5 < large.std() < 1.3
    halved = cv2.resize(large, (80, 80), interpolation=cv2.INTER_AREA)
    assert np.corrcoef(small.ravel(), halved.ravel())[0, 1] > 0.99


def test_a_step_is_half_way_at_its_border():
    np.testing.assert_allclose(step(np.array([-1.0, -0.05, 0.0, 0.05, 1.0]), 0.2), [1, 0.75, 0.5, 0.25, 0])


def test_grey_pictures_have_three_equal_channels(tmp_path):
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    write_grey(grey, tmp_path / "a.png")
    read = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(read, np.repeat(grey[..., None], 3, axis=2))
