import numpy as np
import pytest
import torch
from skimage.transform import iradon

from medscale.errors import InputError
from medscale.phantoms.ellipses import HEAD, Ellipse, draw_ellipses, integrate_ellipses
from medscale.sparse_ct.attenuation import MU_WATER, attenuation, hounsfield
from medscale.sparse_ct.fbp import WINDOWS, FilteredBackProjection, filter_response, view_weights
from medscale.sparse_ct.geometry import full_scan, kept_views

FAN = {"kind": "fan", "source_mm": 300.0, "source_to_detector_mm": 640.0}
BEAMS = pytest.mark.parametrize("beam", [{}, FAN], ids=["parallel", "fan"])
DISC = [Ellipse(1.0, 0.5, 0.5, 0.0, 0.0, 0.0)]


def exact(ellipses, geometry):
    """The sinogram (views, detectors) in closed form."""
    angles, offsets = geometry.rays()
    pixel = geometry.pixel_mm
    return pixel * integrate_ellipses(ellipses, geometry.size_px, angles, offsets / pixel)


def reconstruct(ellipses, geometry, window="ramp"):
    sinogram = torch.from_numpy(exact(ellipses, geometry))[None]
    return FilteredBackProjection(geometry, window)(sinogram)[0].numpy()


def inside(size, share):
    line = np.arange(size) - (size - 1) / 2
    return np.hypot(line[:, None], line[None]) < share * size / 2


@BEAMS
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("hu", [-1000.0, 0.0, 1200.0])
def test_a_disc_has_the_right_hounsfield_units(beam, window, hu):
    disc = [Ellipse(float(attenuation(np.array(hu))), 0.5, 0.5, 0.0, 0.0, 0.0)]
    geometry = full_scan(128, 1.5, 400, **beam)
    found = hounsfield(reconstruct(disc, geometry, window))
    assert found[inside(128, 0.45)].mean() == pytest.approx(hu, abs=6)
    assert found[~inside(128, 0.6) & inside(128, 0.9)].mean() == pytest.approx(-1000, abs=3)


@BEAMS
def test_many_views_give_the_image_back(beam):
    found = reconstruct(HEAD, full_scan(128, 1.0, 720, **beam))
    error = found - draw_ellipses(HEAD, 128)
    assert np.sqrt((error**2).mean()) < 0.03


@pytest.mark.parametrize("window", ["ramp", "shepp-logan", "cosine", "hann"])
def test_parallel_reconstructions_equal_those_of_scikit_image(window):
    # An odd image and as many bins have the same centre in both.
    size, views = 65, 50
    geometry = full_scan(size, 1.0, views)
    sinogram = np.random.default_rng(3).random((views, geometry.detectors))
    ours = FilteredBackProjection(geometry, window.replace("-", "_"))(torch.from_numpy(sinogram)[None])[0]
    degrees = -np.rad2deg(np.asarray(geometry.angles_rad))
    theirs = iradon(sinogram.T, degrees, filter_name=window, circle=True, output_size=size)
    # scikit-image's Hann window lacks a sample's symmetry.
    assert np.abs(ours.numpy() - theirs)[inside(size, 0.9)].max() < 0.01


def test_errors_against_the_truth_are_no_larger_than_those_of_scikit_image():
    size, views = 128, 60
    geometry, truth = full_scan(size, 1.0, views), draw_ellipses(HEAD, size)
    angles = np.asarray(geometry.angles_rad)[:, None]
    offsets = np.arange(size)[None] - size // 2 + (np.cos(angles) + np.sin(angles)) / 2
    theirs = iradon(integrate_ellipses(HEAD, size, angles, offsets).T, -np.rad2deg(angles[:, 0]), circle=True)
    circle = inside(size, 0.95)
    errors = [np.sqrt((image - truth)[circle] ** 2).mean() for image in (reconstruct(HEAD, geometry), theirs)]
    assert errors[0] <= errors[1] * 1.01


def test_weights_make_up_for_views_that_are_not_equally_spaced():
    full = full_scan(96, 1.0, 1000)
    uneven = full.select(np.unique(np.concatenate([kept_views(1000, 150), np.arange(0, 500, 2)])))
    found = reconstruct(DISC, uneven)
    assert found[inside(96, 0.45)].mean() == pytest.approx(1, abs=0.01)


def test_the_views_share_the_whole_turn():
    assert view_weights(np.array([0.1, 0.2, 1.0]), np.pi).sum() == pytest.approx(np.pi)
    assert view_weights(np.array([0.4]), np.pi) == pytest.approx([np.pi])
    angles = np.array([0.0, 0.1, 0.2, 1.2])
    assert view_weights(angles, np.pi)[1] == pytest.approx(0.1)


def test_the_image_does_not_depend_on_the_unit_of_length():
    small, large = (reconstruct(HEAD, full_scan(64, pixel, 60)) for pixel in (0.1, 3.0))
    assert np.allclose(small, large, atol=1e-9)


def test_the_mean_of_a_projection_survives_the_ramp_only_as_the_spatial_form_has_it():
    response = filter_response(100, 1.0, "ramp")
    assert 0 < response[0] < 0.01
    assert response[-1] == pytest.approx(0.5, abs=0.01)


def test_unknown_windows_are_refused():
    with pytest.raises(InputError, match=r"'hamming'.*one of ramp, shepp_logan"):
        filter_response(100, 1.0, "hamming")


def test_water_has_zero_hounsfield_units():
    assert hounsfield(np.array(MU_WATER)) == pytest.approx(0)
    assert attenuation(np.array([-3000.0, -1000.0])).tolist() == [0, 0]
