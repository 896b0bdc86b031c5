"""Iterative reconstruction with total variation.

FISTA (Beck & Teboulle, SIAM J. Imaging Sci. 2(1), 2009): gradient steps on the data, each followed by
the proximal step of total variation (Chambolle, J. Math. Imaging Vis. 20, 2004) in scikit-image.
"""

import numpy as np
import torch
from skimage.restoration import denoise_tv_chambolle
from torch import Tensor

from medscale.sparse_ct.attenuation import MU_WATER, hounsfield
from medscale.sparse_ct.geometry import ParallelBeam
from medscale.sparse_ct.projector import Projector, shared_projector
from medscale.sparse_ct.simulation import in_pixels

POWER_ITERATIONS = 30
PROXIMAL_ITERATIONS = 20


def reconstruct_tv(
    projections: np.ndarray, geometry: ParallelBeam, weight: float, iterations: int, start_hu: np.ndarray
) -> np.ndarray:
    """Minimise |A x - b|^2 / (2 views) + weight * TV(x) over images without negative attenuation.

    Lengths are in pixels and attenuation in that of water, so that one weight suits images of any pixel
    size and number of views.

    Parameters
    ----------
    projections : ndarray of float32, shape (slices, views, detectors)
    weight : float
    iterations : int
    start_hu : ndarray of float32, shape (slices, size, size)
        Where to begin, such as the filtered back projection.

    Returns
    -------
    ndarray of float32, shape (slices, size, size)
        In HU.
    """
    projector = shared_projector(in_pixels(geometry))
    views = len(geometry.angles_rad)
    data = torch.from_numpy(projections) / (geometry.pixel_mm * MU_WATER)
    step = views / squared_norm(projector)
    image = torch.from_numpy(start_hu / 1000 + 1).clamp(min=0)
    ahead, momentum = image, 1.0
    for _ in range(iterations):
        gradient = projector.adjoint(projector(ahead) - data) / views
        new = _proximal_tv(ahead - step * gradient, weight * step)
        grown = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        ahead = new + (momentum - 1) / grown * (new - image)
        image, momentum = new, grown
    return hounsfield(image * MU_WATER).numpy()


def squared_norm(projector: Projector) -> float:
    """Return the largest eigenvalue of A^T A, by power iteration."""
    size = projector.geometry.size_px
    vector = torch.ones(1, size, size)
    for _ in range(POWER_ITERATIONS):
        vector = projector.adjoint(projector(vector / vector.norm()))
    # Power iteration approaches from below, and a step must not be too long.
    return 1.02 * float(vector.norm())


def _proximal_tv(images: Tensor, weight: float) -> Tensor:
    smooth = [
        denoise_tv_chambolle(image, weight, eps=0, max_num_iter=PROXIMAL_ITERATIONS)
        for image in images.numpy()
    ]
    return torch.from_numpy(np.stack(smooth)).clamp(min=0)
