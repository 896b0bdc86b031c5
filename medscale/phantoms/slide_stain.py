"""Stains and scanners of the five centres."""

from dataclasses import dataclass, replace

import cv2
import numpy as np


@dataclass(frozen=True)
class Stain:
    """How a centre's slides look.

    Attributes
    ----------
    haematoxylin, eosin : tuple of float
        Optical density of the stain in red, green and blue.
    light : tuple of float
        Brightness of empty glass in red, green and blue, 0 to 255.
    blur_px : float
        Standard deviation of the scanner's blur, in pixels.
    quality : int
        JPEG quality of the file.
    """

    haematoxylin: tuple[float, float, float]
    eosin: tuple[float, float, float]
    light: tuple[float, float, float]
    blur_px: float
    quality: int


STAINS = {
    "0": Stain((0.95, 1.05, 0.45), (0.10, 0.75, 0.35), (243, 241, 244), 0.45, 85),
    "1": Stain((1.15, 0.95, 0.40), (0.12, 0.55, 0.22), (236, 236, 240), 0.60, 80),
    "2": Stain((0.70, 1.00, 0.45), (0.06, 0.85, 0.50), (246, 240, 240), 0.40, 90),
    "3": Stain((0.80, 0.75, 0.28), (0.10, 0.50, 0.30), (248, 248, 247), 0.55, 75),
    "4": Stain((1.20, 1.30, 0.70), (0.18, 0.70, 0.45), (232, 229, 231), 0.50, 85),
}

INKS = {"blue": (0.30, 0.40, 0.85), "green": (0.25, 0.70, 0.45), "black": (0.18, 0.18, 0.20)}


def vary_stain(stain: Stain, rng: np.random.Generator) -> Stain:
    """Vary a centre's stain from slide to slide: time in the bath, and the shade of the dye."""
    strength = rng.uniform(0.85, 1.15, 2)
    shade = rng.uniform(0.94, 1.06, (2, 3))
    return replace(
        stain,
        haematoxylin=tuple(np.array(stain.haematoxylin) * strength[0] * shade[0]),
        eosin=tuple(np.array(stain.eosin) * strength[1] * shade[1]),
    )


def stain_tissue(
    haematoxylin: np.ndarray, eosin: np.ndarray, stain: Stain, rng: np.random.Generator
) -> np.ndarray:
    """Turn amounts of stain into colour by the law of Beer and Lambert, with the scanner's blur and noise.

    Parameters
    ----------
    haematoxylin, eosin : ndarray, shape (rows, columns), float32
        Amount of stain; 1 is a dark nucleus, or dense pink fibres.

    Returns
    -------
    ndarray, shape (rows, columns, 3), uint8
        Red, green and blue.
    """
    colour = np.empty((*haematoxylin.shape, 3), np.uint8)
    noise = rng.standard_normal(haematoxylin.shape, dtype=np.float32)
    noise *= np.float32(1.6)
    for channel in range(3):
        density = haematoxylin * np.float32(-stain.haematoxylin[channel])
        density += eosin * np.float32(-stain.eosin[channel])
        light = np.exp(density, out=density)
        if stain.blur_px:
            light = cv2.GaussianBlur(light, (3, 3), stain.blur_px)
        light *= np.float32(stain.light[channel])
        light += noise
        colour[..., channel] = np.clip(light, 0, 255, out=light)
    return colour


def draw_ink(colour: np.ndarray, line_px: np.ndarray, width_px: int, ink: str) -> None:
    """Draw one pen stroke into `colour`, shape (rows, columns, 3), uint8, in place.

    Parameters
    ----------
    line_px : ndarray, shape (n, 2)
        x and y of the stroke's corners in pixels.
    ink : str
        A key of `INKS`.
    """
    points = np.rint(line_px).astype(np.int32)
    low = np.maximum(points.min(axis=0) - width_px, 0)
    high = points.max(axis=0) + width_px
    part = colour[low[1] : high[1], low[0] : high[0]]
    if part.size == 0:
        return
    stroke = np.zeros(part.shape[:2], np.float32)
    cv2.polylines(stroke, [points - low.astype(np.int32)], False, 1.0, thickness=width_px)
    stroke = cv2.GaussianBlur(stroke, (0, 0), width_px / 12)[..., None]
    part[:] = part * (1 - stroke * (1 - np.array(INKS[ink], np.float32)))
