import math

import numpy as np
import pytest

from medscale.errors import InputError
from medscale.sparse_ct.geometry import full_scan, kept_views

FAN = {"kind": "fan", "source_mm": 500.0, "source_to_detector_mm": 1000.0}


@pytest.mark.parametrize("beam", [{}, FAN], ids=["parallel", "fan"])
@pytest.mark.parametrize("size", [64, 65])
def test_the_detector_sees_the_corners_of_the_image(beam, size):
    geometry = full_scan(size, 2.0, 12, **beam)
    _, offsets = geometry.rays()
    corner = (size - 1) / math.sqrt(2) * 2.0
    assert np.abs(offsets).max(axis=1).min() >= corner
    assert geometry.detectors % 2 == size % 2


@pytest.mark.parametrize("views", [1, 7, 60, 333, 1000])
def test_kept_views_are_distinct_and_equally_spaced_to_the_nearest_view(views):
    kept = kept_views(1000, views)
    assert len(set(kept)) == views
    assert np.abs(kept - np.arange(views) * 1000 / views).max() <= 0.5
    assert kept.max() < 1000


@pytest.mark.parametrize("views", [0, 1001])
def test_more_views_than_there_are_cannot_be_kept(views):
    with pytest.raises(InputError, match=rf"{views} views.*1 to 1000"):
        kept_views(1000, views)


def test_a_source_within_the_image_is_refused():
    with pytest.raises(InputError, match=r"300 mm.*outside the image, whose corners lie 362.0 mm"):
        full_scan(512, 1.0, 10, kind="fan", source_mm=300.0, source_to_detector_mm=800.0)


def test_rays_of_a_fan_pass_through_their_source():
    geometry = full_scan(64, 1.0, 9, **FAN)
    angles, offsets = geometry.rays()
    turn = np.asarray(geometry.angles_rad)[:, None]
    x, y = 500.0 * np.sin(turn), -500.0 * np.cos(turn)
    assert np.allclose(x * np.cos(angles) + y * np.sin(angles), offsets, atol=1e-9)
