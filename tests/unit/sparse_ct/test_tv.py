import numpy as np
import pytest
import torch

from medscale.phantoms.ellipses import HEAD, draw_ellipses
from medscale.sparse_ct.geometry import full_scan
from medscale.sparse_ct.projector import Projector
from medscale.sparse_ct.simulation import SimulationSettings, reconstruct_fbp, scan_geometry, simulate_scan
from medscale.sparse_ct.tv import reconstruct_tv, squared_norm

SETTINGS = SimulationSettings(full_views=200)
HU = (1000 * (draw_ellipses(HEAD, 64) * 2 - 1)).astype(np.float32)[None]


def scan(views, pixel_mm=2.0):
    geometry = scan_geometry(64, pixel_mm, views, SETTINGS)
    projections = simulate_scan(HU, geometry, SETTINGS, 0)
    return projections, geometry, reconstruct_fbp(projections, geometry)


def rmse(hu):
    return float(np.sqrt(((hu - HU) ** 2).mean()))


def test_flat_regions_come_back_from_few_views():
    projections, geometry, fbp = scan(20)
    found = reconstruct_tv(projections, geometry, 0.01, 100, fbp)
    assert found.dtype == np.float32
    assert rmse(found) < 0.5 * rmse(fbp)
    assert found.min() >= -1000


def test_without_smoothing_the_data_are_fitted():
    projections, geometry, fbp = scan(20)
    found = reconstruct_tv(projections, geometry, 1e-6, 200, fbp)
    again = simulate_scan(found, geometry, SETTINGS, 0)
    assert np.abs(again - projections).mean() < 0.01 * np.abs(projections).mean()


def test_a_large_weight_makes_the_image_flat():
    projections, geometry, fbp = scan(20)
    mild, strong = (reconstruct_tv(projections, geometry, weight, 50, fbp) for weight in (0.01, 3.0))
    variation = [np.abs(np.diff(image, axis=-1)).sum() for image in (mild, strong)]
    assert variation[1] < 0.5 * variation[0]


def test_one_weight_suits_all_pixel_sizes():
    images = []
    for pixel_mm in (0.5, 3.0):
        projections, geometry, fbp = scan(20, pixel_mm)
        images.append(reconstruct_tv(projections, geometry, 0.02, 30, fbp))
    assert np.allclose(*images, atol=0.5)


@pytest.mark.parametrize("views", [5, 40])
def test_the_norm_is_the_largest_singular_value(views):
    projector = Projector(full_scan(16, 1.0, views))
    identity = torch.eye(256, dtype=torch.float64).view(256, 16, 16)
    matrix = projector(identity).reshape(256, -1)
    exact = float(torch.linalg.matrix_norm(matrix, 2) ** 2)
    assert exact <= squared_norm(projector) <= 1.05 * exact
