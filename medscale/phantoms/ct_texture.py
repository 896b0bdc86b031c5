"""Texture of tissue, fixed in space, and the noise of one exposure."""

import cv2
import numpy as np

from medscale.phantoms.ct_canvas import FIELD_MM
from medscale.seeds import generator

# Pixels across the field in which the detector's noise is drawn; coarser pictures average it.
NOISE_PX = 512


def draw_texture(seed: int, patient: str, scale_mm: float, z: float, size_px: int) -> np.ndarray:
    """Draw the plane at height `z` of smooth noise in space with grains about `scale_mm` wide.

    Returns
    -------
    ndarray, float32, (size_px, size_px)
        About standard normal where a pixel is smaller than a grain; the same grains at every `size_px`.
    """
    cells = round(FIELD_MM / scale_mm)
    below = int(np.floor(z / scale_mm))
    weight = z / scale_mm - below
    low, high = (
        generator(seed, "demo ct", patient, "texture", str(scale_mm), plane).standard_normal(
            (cells, cells), dtype=np.float32
        )
        for plane in (below, below + 1)
    )
    plane = (1 - weight) * low + weight * high
    return _resize(plane / np.float32(np.hypot(1 - weight, weight)), size_px)


def draw_noise(seed: int, patient: str, number: int, size_px: int) -> np.ndarray:
    """Draw the noise of slice `number`: standard deviation 1 at 512 pixels, less where pixels average it."""
    rng = generator(seed, "demo ct", patient, "noise", number)
    noise = cv2.GaussianBlur(rng.standard_normal((NOISE_PX, NOISE_PX), dtype=np.float32), (5, 5), 0.7)
    return _resize(noise / noise.std(), size_px)


def _resize(plane: np.ndarray, size_px: int) -> np.ndarray:
    way = cv2.INTER_AREA if size_px < len(plane) else cv2.INTER_CUBIC
    return cv2.resize(plane.astype(np.float32), (size_px, size_px), interpolation=way)
