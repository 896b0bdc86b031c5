from dataclasses import replace

import numpy as np
import pytest
import torch

from medscale.errors import InputError
from medscale.phantoms.ellipses import HEAD, Ellipse, draw_ellipses
from medscale.sparse_ct.attenuation import attenuation
from medscale.sparse_ct.projector import Projector
from medscale.sparse_ct.simulation import (
    SimulationSettings,
    reconstruct_fbp,
    scan_geometry,
    simulate_scan,
)

CLEAN = SimulationSettings(full_views=200)
NOISY = replace(CLEAN, photons=1e4)
SOURCE = {"kind": "fan", "source_mm": 400.0, "source_to_detector_mm": 800.0}


def phantom(size=64):
    """Water in air with details, in HU."""
    return (1000 * (draw_ellipses(HEAD, size) * 4 - 1)).astype(np.float32)[None]


@pytest.mark.parametrize("beam", [{"kind": "parallel"}, SOURCE], ids=["parallel", "fan"])
@pytest.mark.parametrize("pixel_mm", [0.7, 2.0])
def test_projections_are_line_integrals_in_physical_units(beam, pixel_mm):
    settings = replace(CLEAN, beam=beam)
    geometry = scan_geometry(64, pixel_mm, 20, settings)
    direct = Projector(geometry)(torch.from_numpy(attenuation(phantom())))
    assert np.allclose(simulate_scan(phantom(), geometry, settings, 0), direct.numpy(), atol=1e-4)


@pytest.mark.parametrize("beam", [{"kind": "parallel"}, SOURCE], ids=["parallel", "fan"])
def test_all_views_give_the_image_back(beam):
    settings = replace(CLEAN, beam=beam, full_views=400)
    disc = [Ellipse(1.0, 0.6, 0.6, 0.0, 0.0, 0.0)]
    hu = (1000 * (draw_ellipses(disc, 64) - 1)).astype(np.float32)[None]
    geometry = scan_geometry(64, 2.0, 400, settings)
    found = reconstruct_fbp(simulate_scan(hu, geometry, settings, 0), geometry)
    assert found.dtype == np.float32
    assert np.abs(found[0, 24:40, 24:40]).mean() < 5


def test_fewer_views_give_worse_images():
    errors = []
    for views in (10, 40, 200):
        geometry = scan_geometry(64, 2.0, views, CLEAN)
        found = reconstruct_fbp(simulate_scan(phantom(), geometry, CLEAN, 0), geometry)
        errors.append(float(np.abs(found - phantom()).mean()))
    assert errors[0] > 1.5 * errors[1] > 1.5 * errors[2]


@pytest.mark.parametrize("settings", [CLEAN, NOISY], ids=["clean", "noisy"])
def test_sparse_views_are_those_of_the_full_scan(settings):
    full, sparse = (scan_geometry(64, 2.0, views, settings) for views in (200, 8))
    rows = [full.angles_rad.index(angle) for angle in sparse.angles_rad]
    everything = simulate_scan(phantom(), full, settings, 5)
    assert np.array_equal(simulate_scan(phantom(), sparse, settings, 5), everything[:, rows])


def test_noise_is_that_of_the_photons():
    geometry = scan_geometry(64, 2.0, 200, NOISY)
    clean, noisy = (simulate_scan(phantom(), geometry, settings, 5) for settings in (CLEAN, NOISY))
    # A count of N photons has a relative error of 1 / sqrt(N), the error of its logarithm.
    expected = np.exp(clean / 2) / np.sqrt(NOISY.photons)
    assert ((noisy - clean) / expected).std() == pytest.approx(1, abs=0.03)
    assert ((noisy - clean) / expected).mean() == pytest.approx(0, abs=0.05)


def test_noise_differs_between_slices_and_seeds():
    slices = np.repeat(phantom(), 2, axis=0)
    geometry = scan_geometry(64, 2.0, 4, NOISY)
    first, second = (simulate_scan(slices, geometry, NOISY, seed) for seed in (1, 2))
    assert np.array_equal(first, simulate_scan(slices, geometry, NOISY, 1))
    assert not np.allclose(first[0], first[1])
    assert not np.allclose(first, second)


def test_bins_without_photons_stay_finite():
    dark = replace(CLEAN, photons=5.0)
    bone = np.full((1, 64, 64), 3000, np.float32)
    assert np.isfinite(simulate_scan(bone, scan_geometry(64, 5.0, 6, dark), dark, 0)).all()


def test_more_slices_than_a_batch_are_all_there():
    slices = np.concatenate([phantom() + number for number in range(18)])
    geometry = scan_geometry(64, 2.0, 5, CLEAN)
    together = simulate_scan(slices, geometry, CLEAN, 0)
    assert np.allclose(together[17:], simulate_scan(slices[17:], geometry, CLEAN, 0), atol=1e-5)


def test_a_finer_grid_avoids_the_inverse_crime():
    finer = replace(CLEAN, oversampling=3)
    geometry = scan_geometry(64, 2.0, 60, CLEAN)
    crime, honest = (simulate_scan(phantom(), geometry, settings, 0) for settings in (CLEAN, finer))
    assert crime.shape == honest.shape
    difference = np.abs(crime - honest).mean() / np.abs(crime).mean()
    assert 1e-4 < difference < 0.05


@pytest.mark.parametrize("photons", [0, -10.0])
def test_photons_must_be_positive(photons):
    settings = replace(CLEAN, photons=photons)
    geometry = scan_geometry(64, 2.0, 4, settings)
    with pytest.raises(InputError, match="positive"):
        simulate_scan(phantom(), geometry, settings, 0)
