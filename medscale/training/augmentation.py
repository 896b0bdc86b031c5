"""Augmentation of batches of patches, on the device, repeatable for each sample and epoch."""

import numpy as np
import torch
from torch import Tensor

DIHEDRAL_ELEMENTS = 8
STAIN_CHANNELS = 3


def draw_uniform(seeds: np.ndarray, epoch: int, count: int) -> np.ndarray:
    """Return `count` numbers in [0, 1) for each sample, from its seed and the epoch alone.

    The SplitMix64 sequence (Steele et al., OOPSLA 2014) makes them independent of the batch that a
    sample happens to be in.

    Parameters
    ----------
    seeds : ndarray of int64, shape (n,)

    Returns
    -------
    ndarray of float32, shape (n, count)
    """
    step = np.uint64(0x9E3779B97F4A7C15)
    positions = np.arange(1, count + 1, dtype=np.uint64) + np.uint64(count * epoch)
    z = seeds.astype(np.uint64)[:, None] + positions[None, :] * step
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return ((z >> np.uint64(40)).astype(np.float32)) / np.float32(1 << 24)


def turn_and_flip(images: Tensor, elements: Tensor) -> Tensor:
    """Apply elements of the dihedral group D4 to square images.

    Parameters
    ----------
    images : Tensor, shape (n, channels, size, size)
    elements : Tensor of int64, shape (n,)
        0 to 3: quarter turns; 4 to 7: the same after a flip from left to right.
    """
    turned = images.clone()
    for element in range(1, DIHEDRAL_ELEMENTS):
        chosen = elements == element
        if chosen.any():
            part = images[chosen].flip(-1) if element >= 4 else images[chosen]
            turned[chosen] = torch.rot90(part, element % 4, (-2, -1))
    return turned


def jitter_stain(images: Tensor, uniform: Tensor, scale: float, shift: float) -> Tensor:
    """Scale and shift each channel's optical density, as stains differ between centres.

    Parameters
    ----------
    images : Tensor of float, shape (n, 3, height, width)
        Values in [0, 1].
    uniform : Tensor, shape (n, 6)
        Numbers in [0, 1): three for the scales, three for the shifts.
    scale, shift : float
        Densities are multiplied by a factor in [1 - scale, 1 + scale] and raised by a number in
        [-shift, shift].
    """
    factors = 1 + scale * (2 * uniform[:, :STAIN_CHANNELS] - 1)
    offsets = shift * (2 * uniform[:, STAIN_CHANNELS:] - 1)
    density = -torch.log(images.clamp(min=1 / 255))
    return torch.exp(-(density * factors[..., None, None] + offsets[..., None, None])).clamp(0, 1)
