"""Filtered back projection of parallel and fan beams.

Kak & Slaney, Principles of Computerized Tomographic Imaging (1988), chapter 3: the ramp filter in its
spatial form (eq. 3.61) and, for a fan beam with a flat detector, the weights of section 3.4.2.
"""

from collections.abc import Iterator
from functools import lru_cache, partial

import numpy as np
import torch
from torch import Tensor, nn

from medscale.errors import InputError
from medscale.sparse_ct.geometry import FanBeam, ParallelBeam
from medscale.sparse_ct.sparse_blocks import (
    PAD_AFTER,
    PAD_BEFORE,
    SparseBlocks,
    block_rows,
    interpolation_block,
)

WINDOWS = {
    "ramp": lambda frequency: np.ones_like(frequency),
    "shepp_logan": np.sinc,
    "cosine": lambda frequency: np.cos(np.pi * frequency),
    "hann": lambda frequency: np.cos(np.pi * frequency) ** 2,
}


class FilteredBackProjection(nn.Module):
    """Reconstruction of images from sinograms, also where the kept views are not equally spaced.

    Parameters
    ----------
    geometry : ParallelBeam or FanBeam
    window : {"ramp", "shepp_logan", "cosine", "hann"}
        What the ramp filter is multiplied with, against noise and streaks.
    cache_gb : float
        The matrix is kept for the next call if it needs no more memory than this.
    """

    def __init__(self, geometry: ParallelBeam, window: str = "ramp", cache_gb: float = 1.0):
        super().__init__()
        self.geometry = geometry
        spacing = geometry.detector_mm * geometry.scale_to_axis
        response = filter_response(geometry.detectors, spacing, window)
        self.register_buffer("response", torch.from_numpy(response), persistent=False)
        self.register_buffer("weights", torch.from_numpy(_ray_weights(geometry)), persistent=False)
        entries = geometry.size_px**2 * 2 * len(geometry.angles_rad)
        self._matrix = SparseBlocks(partial(_blocks, geometry), entries, cache_gb)

    def forward(self, sinograms: Tensor) -> Tensor:
        """Return images (n, size, size) in 1/mm from line integrals (n, views, detectors)."""
        return self.back_project(self.filter(sinograms))

    def filter(self, sinograms: Tensor) -> Tensor:
        """Return the weighted and filtered projections, shape as given."""
        weighted = sinograms * self.weights.to(sinograms)
        length = 2 * (len(self.response) - 1)
        spectrum = torch.fft.rfft(weighted, n=length) * self.response.to(sinograms)
        return torch.fft.irfft(spectrum, n=length)[..., : self.geometry.detectors]

    def back_project(self, filtered: Tensor) -> Tensor:
        """Return the sum over views of the filtered projections at each pixel."""
        padded = nn.functional.pad(filtered, (PAD_BEFORE, PAD_AFTER))
        bins = padded.reshape(len(filtered), -1).T.contiguous()
        pixels = torch.cat([block @ bins for block in self._matrix(filtered)])
        size = self.geometry.size_px
        return pixels.T.reshape(len(filtered), size, size)


def filter_response(detectors: int, spacing_mm: float, window: str) -> np.ndarray:
    """Return the frequency response of the filter, for an rfft over projections padded to twice their length.

    The ramp is built from its spatial form: a ramp sampled in frequency would lower the mean.

    Returns
    -------
    ndarray of float64, shape (n // 2 + 1,)
        In 1/mm; n is a power of two.

    Raises
    ------
    InputError
        If the window is unknown.
    """
    if window not in WINDOWS:
        raise InputError("window", repr(window), f"one of {', '.join(WINDOWS)}", "Correct the name.")
    length = max(64, 1 << (2 * detectors - 1).bit_length())
    distance = np.fft.fftfreq(length, 1 / length)
    odd = distance % 2 == 1
    kernel = np.zeros(length)
    kernel[0] = 0.25
    kernel[odd] = -1 / (np.pi * distance[odd]) ** 2
    ramp = np.fft.rfft(kernel).real / spacing_mm
    return ramp * WINDOWS[window](np.fft.rfftfreq(length))


def view_weights(angles_rad: np.ndarray, period_rad: float) -> np.ndarray:
    """Return each view's share of the turn: half the way to its neighbours on both sides, in rad."""
    if len(angles_rad) == 1:
        return np.array([period_rad])
    order = np.argsort(angles_rad % period_rad, kind="stable")
    ordered = (angles_rad % period_rad)[order]
    gaps = np.diff(ordered, append=ordered[0] + period_rad)
    weights = np.empty(len(ordered))
    weights[order] = (gaps + np.roll(gaps, 1)) / 2
    return weights


def _blocks(geometry: ParallelBeam, dtype: torch.dtype, device: torch.device) -> Iterator[Tensor]:
    pixels = geometry.size_px**2
    step = block_rows(2 * len(geometry.angles_rad))
    angles = torch.tensor(geometry.angles_rad, dtype=dtype, device=device)
    for first in range(0, pixels, step):
        yield _block(geometry, torch.arange(first, min(first + step, pixels), device=device), angles)


def _block(geometry: ParallelBeam, pixels: Tensor, angles: Tensor) -> Tensor:
    """Return the rows of these pixels: in each view the two bins beside the pixel's shadow."""
    size, width = geometry.size_px, PAD_BEFORE + geometry.detectors + PAD_AFTER
    centre = (size - 1) / 2
    x = (pixels % size - centre)[:, None].to(angles.dtype) * geometry.pixel_mm
    y = (pixels // size - centre)[:, None].to(angles.dtype) * geometry.pixel_mm
    shadow, weight = _shadow(geometry, x, y, torch.cos(angles), torch.sin(angles))
    middle = (geometry.detectors - 1) / 2
    position = shadow / geometry.detector_mm + middle
    lines = torch.arange(len(angles), device=angles.device, dtype=torch.int32) * width
    return interpolation_block(position, geometry.detectors, lines, weight, len(angles) * width)


@lru_cache(maxsize=2)
def shared_fbp(geometry: ParallelBeam, window: str) -> FilteredBackProjection:
    """Return the reconstruction of a geometry, the same one as last time: its matrix takes time to build."""
    return FilteredBackProjection(geometry, window)


def _ray_weights(geometry: ParallelBeam) -> np.ndarray:
    """Weights of the projections before they are filtered, shape (views, 1 or detectors)."""
    views = view_weights(np.asarray(geometry.angles_rad), geometry.period_rad)[:, None]
    if not isinstance(geometry, FanBeam):
        return views
    bins = geometry.bins_mm() * geometry.scale_to_axis
    # Opposite rays are measured twice in a full turn.
    return views / 2 * geometry.source_mm / np.hypot(geometry.source_mm, bins)


def _shadow(
    geometry: ParallelBeam, x: Tensor, y: Tensor, cosine: Tensor, sine: Tensor
) -> tuple[Tensor, Tensor | float]:
    """Return where each pixel falls on the detector in each view (mm), and its weight."""
    along = x * cosine + y * sine
    if not isinstance(geometry, FanBeam):
        return along, 1.0
    depth = (geometry.source_mm - x * sine + y * cosine) / geometry.source_mm
    return along / depth / geometry.scale_to_axis, depth**-2
