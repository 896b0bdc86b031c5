"""Random smooth fields and lesion outlines of two-dimensional demo scans, the same at any size in pixels."""

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Outline:
    """A closed outline around a middle.

    Attributes
    ----------
    x, y : float
        Middle, in the picture's coordinates.
    a, b : float
        Half axes before waves and spikes.
    waves : ndarray, shape (n, 2)
        Amplitude and phase in rad of 2, 3, ... waves around the outline, as shares of the radius.
    spikes : ndarray, shape (n, 3)
        Direction in rad, height as a share of the radius, and width in rad of each.
    """

    x: float
    y: float
    a: float
    b: float
    waves: np.ndarray
    spikes: np.ndarray

    def reach(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return how far out points lie: 0 in the middle, 1 on the outline."""
        u, v = (x - self.x) / self.a, (y - self.y) / self.b
        turn = np.arctan2(v, u)
        radius = np.ones_like(turn)
        for number, (height, phase) in enumerate(self.waves, start=2):
            radius += height * np.cos(number * turn + phase)
        for direction, height, width in self.spikes:
            away = np.angle(np.exp(1j * (turn - direction)))
            radius += height * np.exp(-((away / width) ** 2))
        return np.hypot(u, v) / radius


def draw_field(
    shape: tuple[int, int], cells: tuple[int, int], rng: np.random.Generator, smooth: float = 0.0
) -> np.ndarray:
    """Return smooth noise of mean 0 and standard deviation of about 1, float32.

    Parameters
    ----------
    shape : (rows, columns)
    cells : (int, int)
        How many independent values there are along each axis, whatever the shape.
    smooth : float
        Standard deviation of a blur, in cells; the field is scaled back to a deviation of 1.
    """
    coarse = rng.standard_normal(cells).astype(np.float32)
    if smooth > 0:
        coarse = cv2.GaussianBlur(coarse, (0, 0), smooth)
        coarse /= coarse.std()
    return cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)


def step(values: np.ndarray, width: float) -> np.ndarray:
    """Return 1 where values are well below 0, 0 where well above, and a smooth passage of `width` between."""
    return np.clip(0.5 - values / width, 0, 1)
