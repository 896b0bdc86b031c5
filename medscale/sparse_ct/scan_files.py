"""From files of images to files of sparse-view scans and their reconstructions."""

import logging
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np

from medscale.seeds import derive_seed
from medscale.sparse_ct.image_files import read_stored
from medscale.sparse_ct.images import write_image
from medscale.sparse_ct.simulation import SimulationSettings, reconstruct_fbp, scan_geometry, simulate_scan
from medscale.sparse_ct.sinogram_files import read_sinogram, write_sinogram

log = logging.getLogger(__name__)


def simulate_views(
    names: Sequence[str],
    image_paths: Sequence[str | Path],
    views: Sequence[int],
    sinogram_paths: Sequence[str | Path],
    fbp_paths: Sequence[str | Path],
    settings: SimulationSettings,
    seed: int,
) -> None:
    """Write a sinogram and a filtered back projection for each image and number of views.

    Parameters
    ----------
    sinogram_paths, fbp_paths : sequence of str or Path
        All images with the first number of views, then with the second.
    """
    # Images of one size share the matrices of a number of views.
    cases = product(views, zip(names, image_paths, strict=True))
    for case, sinogram_path, fbp_path in zip(cases, sinogram_paths, fbp_paths, strict=True):
        count, (name, image_path) = case
        image = read_stored(image_path)
        geometry = scan_geometry(image.hu.shape[-1], image.pixel_mm, count, settings)
        projections = simulate_scan(image.hu, geometry, settings, derive_seed(seed, name))
        write_sinogram(projections, geometry, sinogram_path)
        write_image(image.with_hu(reconstruct_fbp(projections, geometry)), fbp_path)
        log.info("%s: %d views of %d slices", name, count, len(projections))


def reconstruct_windows(sinogram_path: str | Path, windows: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the filtered back projection in HU with each window, shape (slices, size, size)."""
    projections, geometry = read_sinogram(sinogram_path)
    return {window: reconstruct_fbp(projections, geometry, window) for window in windows}
