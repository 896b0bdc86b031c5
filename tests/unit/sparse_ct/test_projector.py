import numpy as np
import pytest
import torch
from skimage.transform import radon

from medscale.phantoms.ellipses import HEAD, draw_ellipses, integrate_ellipses
from medscale.sparse_ct.geometry import full_scan, kept_views
from medscale.sparse_ct.projector import Projector

PARALLEL = {"kind": "parallel"}
FAN = {"kind": "fan", "source_mm": 150.0, "source_to_detector_mm": 320.0}
BEAMS = pytest.mark.parametrize("beam", [PARALLEL, FAN], ids=["parallel", "fan"])


def exact(ellipses, geometry):
    """The sinogram (views, detectors) in closed form."""
    angles, offsets = geometry.rays()
    pixel = geometry.pixel_mm
    return pixel * integrate_ellipses(ellipses, geometry.size_px, angles, offsets / pixel)


def relative_rmse(found, truth):
    return float(np.sqrt(((found - truth) ** 2).mean() / (truth**2).mean()))


@BEAMS
@pytest.mark.parametrize("size", [32, 33])
def test_the_adjoint_is_exact(beam, size):
    projector = Projector(full_scan(size, 1.3, 17, **beam))
    generator = torch.Generator().manual_seed(1)
    shape = (17, projector.geometry.detectors)
    x = torch.rand(3, size, size, dtype=torch.float64, generator=generator)
    y = torch.rand(3, *shape, dtype=torch.float64, generator=generator)
    left, right = (projector(x) * y).sum(), (x * projector.adjoint(y)).sum()
    assert abs(left - right) / abs(left) < 1e-10


@BEAMS
def test_gradients_are_those_of_the_linear_map(beam):
    projector = Projector(full_scan(8, 1.0, 5, **beam))
    x = torch.rand(2, 8, 8, dtype=torch.float64, requires_grad=True)
    y = torch.rand(2, 5, projector.geometry.detectors, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(projector, x)
    assert torch.autograd.gradcheck(projector.adjoint, y)


@BEAMS
@pytest.mark.parametrize("pixel_mm", [1.0, 0.5])
def test_ellipses_have_their_analytic_line_integrals(beam, pixel_mm):
    geometry = full_scan(128, pixel_mm, 40, **beam)
    image = torch.from_numpy(draw_ellipses(HEAD, 128))[None]
    found = Projector(geometry)(image)[0].numpy()
    assert relative_rmse(found, exact(HEAD, geometry)) < 0.04


def test_errors_are_smaller_than_those_of_scikit_image():
    size, views = 128, 40
    image = draw_ellipses(HEAD, size)
    ours = full_scan(size, 1.0, views)
    found = Projector(ours)(torch.from_numpy(image)[None])[0].numpy()
    degrees = np.rad2deg(np.asarray(ours.angles_rad))
    theirs = radon(image, -degrees, circle=True).T
    # scikit-image turns around the centre of pixel N // 2, half a pixel beside the image's centre.
    angles = np.asarray(ours.angles_rad)[:, None]
    offsets = np.arange(size)[None] - size // 2 + (np.cos(angles) + np.sin(angles)) / 2
    their_error = relative_rmse(theirs, integrate_ellipses(HEAD, size, angles, offsets))
    assert relative_rmse(found, exact(HEAD, ours)) <= their_error
    # The comparison means something only where both agree on the geometry.
    assert their_error < 0.05


@BEAMS
def test_a_subset_of_views_is_the_subset_of_the_full_sinogram(beam):
    full = full_scan(48, 0.8, 100, **beam)
    views = kept_views(100, 7)
    image = torch.rand(2, 48, 48)
    assert torch.equal(Projector(full.select(views))(image), Projector(full)(image)[:, views])


def test_a_batch_gives_what_its_images_give_alone():
    projector = Projector(full_scan(40, 1.0, 9))
    images = torch.rand(5, 40, 40, dtype=torch.float64)
    together = projector(images)
    for image, sinogram in zip(images, together, strict=True):
        assert torch.allclose(projector(image[None])[0], sinogram, rtol=1e-12)


def test_a_quarter_turn_of_the_image_is_a_quarter_turn_of_the_scan():
    geometry = full_scan(40, 1.0, 8)
    image = torch.rand(1, 40, 40, dtype=torch.float64)
    turned = Projector(geometry)(image.rot90(1, (1, 2)))
    # Rows run downwards, so that rot90 turns against the angles.
    assert torch.allclose(turned[:, :4], Projector(geometry)(image)[:, 4:], rtol=1e-10)


def test_matrices_that_are_too_large_to_keep_give_the_same():
    geometry = full_scan(64, 1.0, 30)
    images = torch.rand(2, 64, 64, dtype=torch.float64)
    kept, rebuilt = Projector(geometry, cache_gb=1.0), Projector(geometry, cache_gb=0.0)
    for _ in range(2):
        sinogram = rebuilt(images)
        assert torch.equal(kept(images), sinogram)
        assert torch.equal(kept.adjoint(sinogram), rebuilt.adjoint(sinogram))


def test_a_distant_source_makes_parallel_rays():
    parallel = full_scan(64, 1.0, 10)
    far = full_scan(64, 1.0, 20, kind="fan", source_mm=1e7, source_to_detector_mm=1e7)
    image = torch.from_numpy(draw_ellipses(HEAD, 64))[None]
    fan = Projector(far)(image)[:, :10]
    beside = (far.detectors - parallel.detectors) // 2
    inner = fan[..., beside : beside + parallel.detectors]
    assert torch.allclose(inner, Projector(parallel)(image), atol=1e-3)


def test_astra_agrees():
    astra = pytest.importorskip("astra", reason="astra-toolbox is not installed (GPL-3, a test oracle only)")
    geometry = full_scan(64, 1.0, 30)
    image = draw_ellipses(HEAD, 64)
    volume = astra.create_vol_geom(64, 64)
    # ASTRA's y runs upwards.
    rays = astra.create_proj_geom("parallel", 1.0, geometry.detectors, -np.asarray(geometry.angles_rad))
    projector = astra.create_projector("linear", rays, volume)
    identifier, theirs = astra.create_sino(image, projector)
    astra.data2d.delete(identifier)
    ours = Projector(geometry)(torch.from_numpy(image)[None])[0].numpy()
    assert relative_rmse(ours, theirs) < 1e-5
