"""Sparse-view scans of images that are known in full (thesis, section 3.2.1)."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from medscale.errors import InputError
from medscale.seeds import generator
from medscale.sparse_ct.attenuation import attenuation, hounsfield
from medscale.sparse_ct.fbp import shared_fbp
from medscale.sparse_ct.geometry import FanBeam, ParallelBeam, full_scan, kept_views
from medscale.sparse_ct.projector import shared_projector

# More slices at once are not faster, and need more memory.
SLICES_PER_BATCH = 16
# What a bin without a single photon is taken for (Leuschner et al., LoDoPaB-CT, Sci. Data 8, 2021).
PHOTONS_FOR_NONE = 0.1


@dataclass(frozen=True)
class SimulationSettings:
    """The `simulation` section of the configuration.

    Attributes
    ----------
    full_views : int
        Views of the full scan, from which the sparse ones are kept.
    beam : dict
        `kind` parallel or fan; for a fan also `source_mm` and `source_to_detector_mm`.
    photons : float or None
        Photons that reach a bin through air; None for a scan without noise.
    oversampling : int
        The image is projected on a grid that is finer by this factor. With 1 the scan is made on the
        very grid of the reconstruction, which flatters it (the inverse crime).
    """

    full_views: int
    beam: dict[str, Any] = field(default_factory=lambda: {"kind": "parallel"})
    photons: float | None = None
    oversampling: int = 1


def scan_geometry(size_px: int, pixel_mm: float, views: int, settings: SimulationSettings) -> ParallelBeam:
    """Return the rays of a scan that keeps `views` of the full scan's views."""
    scan = full_scan(size_px, pixel_mm, settings.full_views, **settings.beam)
    return scan.select(kept_views(settings.full_views, views))


def simulate_scan(
    hu: np.ndarray, geometry: ParallelBeam, settings: SimulationSettings, seed: int
) -> np.ndarray:
    """Return the line integrals that a scanner would measure.

    Only the views of `geometry` are computed. Noise belongs to a slice and an angle: the views of a
    sparse scan are the same in every scan that holds them.

    Parameters
    ----------
    hu : ndarray of float32, shape (slices, size, size)
    seed : int
        Draws the noise, if `settings.photons` asks for it.

    Returns
    -------
    ndarray of float32, shape (slices, views, detectors)
    """
    grid = replace(
        geometry,
        size_px=geometry.size_px * settings.oversampling,
        pixel_mm=geometry.pixel_mm / settings.oversampling,
    )
    parts = []
    for first, slices in _batches(hu):
        mu = _refined(attenuation(slices), settings.oversampling)
        projections = shared_projector(in_pixels(grid))(mu) * grid.pixel_mm
        parts.append(_with_noise(projections.numpy(), geometry, settings.photons, seed, first))
    return np.concatenate(parts)


def reconstruct_fbp(projections: np.ndarray, geometry: ParallelBeam, window: str = "ramp") -> np.ndarray:
    """Return the filtered back projection in HU, shape (slices, size, size), float32."""
    operator = shared_fbp(in_pixels(geometry), window)
    return np.concatenate(
        [hounsfield(operator(part / geometry.pixel_mm)).numpy() for _, part in _batches(projections)]
    )


def in_pixels(geometry: ParallelBeam) -> ParallelBeam:
    """Return the same rays with lengths in pixels: images with pixels of any size then share matrices."""
    lengths = {"pixel_mm": 1.0, "detector_mm": geometry.detector_mm / geometry.pixel_mm}
    if isinstance(geometry, FanBeam):
        lengths["source_mm"] = geometry.source_mm / geometry.pixel_mm
        lengths["source_to_detector_mm"] = geometry.source_to_detector_mm / geometry.pixel_mm
    return replace(geometry, **lengths)


def _batches(slices: np.ndarray) -> Iterator[tuple[int, Tensor]]:
    for first in range(0, len(slices), SLICES_PER_BATCH):
        yield first, torch.from_numpy(np.ascontiguousarray(slices[first : first + SLICES_PER_BATCH]))


def _refined(mu: Tensor, factor: int) -> Tensor:
    if factor == 1:
        return mu
    return nn.functional.interpolate(mu[:, None], scale_factor=factor, mode="bilinear")[:, 0]


def _with_noise(
    projections: np.ndarray, geometry: ParallelBeam, photons: float | None, seed: int, first: int
) -> np.ndarray:
    if photons is None:
        return projections
    if photons <= 0:
        raise InputError("sparse_ct.simulation.photons", photons, "a positive number or null", "Correct it.")
    expected = photons * np.exp(-projections.astype(np.float64))
    for number, views in enumerate(expected):
        for angle, bins in zip(geometry.angles_rad, views, strict=True):
            bins[:] = generator(seed, "photons", first + number, angle).poisson(bins)
    return -np.log(np.maximum(expected, PHOTONS_FOR_NONE) / photons).astype(np.float32)
