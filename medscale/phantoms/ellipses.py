"""Ellipses, whose line integrals are known in closed form: the truth that projectors are measured with.

Kak & Slaney, Principles of Computerized Tomographic Imaging (1988), eq. 3.5.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Pixels are means over so many points along each side.
FINE = 8


@dataclass(frozen=True)
class Ellipse:
    """An ellipse that adds `value` to what lies below it.

    Attributes
    ----------
    value : float
    a, b : float
        Half axes along x and y before the turn, in units of half the image's edge.
    x, y : float
        Centre, from the image's centre, in the same units.
    turn : float
        In rad.
    """

    value: float
    a: float
    b: float
    x: float
    y: float
    turn: float

    def covers(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return which points lie within."""
        cosine, sine = np.cos(self.turn), np.sin(self.turn)
        u = (x - self.x) * cosine + (y - self.y) * sine
        v = (y - self.y) * cosine - (x - self.x) * sine
        return (u / self.a) ** 2 + (v / self.b) ** 2 <= 1

    def integrate(self, angles: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """Return the integrals along x cos(angle) + y sin(angle) = offset."""
        width = (self.a * np.cos(angles - self.turn)) ** 2 + (self.b * np.sin(angles - self.turn)) ** 2
        distance = offsets - (self.x * np.cos(angles) + self.y * np.sin(angles))
        return 2 * self.value * self.a * self.b * np.sqrt(np.maximum(width - distance**2, 0)) / width


# Like the head of Shepp & Logan (IEEE Trans. Nucl. Sci. 21(3), 1974), with fewer and larger parts.
HEAD = (
    Ellipse(1.0, 0.69, 0.9, 0.0, 0.0, 0.0),
    Ellipse(-0.8, 0.66, 0.87, 0.0, -0.02, 0.0),
    Ellipse(-0.2, 0.11, 0.31, 0.22, 0.0, -0.3),
    Ellipse(-0.2, 0.16, 0.41, -0.22, 0.0, 0.3),
    Ellipse(0.1, 0.21, 0.25, 0.0, 0.35, 0.0),
    Ellipse(0.3, 0.05, 0.03, -0.08, -0.6, 0.0),
)


def draw_ellipses(ellipses: Sequence[Ellipse], size_px: int) -> np.ndarray:
    """Return the image, float64 of shape (size, size), in which each pixel is the mean over its area."""
    count = size_px * FINE
    line = (np.arange(count) - (count - 1) / 2) / (count / 2)
    x, y = np.meshgrid(line, line)
    fine = sum(ellipse.value * ellipse.covers(x, y) for ellipse in ellipses)
    return fine.reshape(size_px, FINE, size_px, FINE).mean((1, 3))


def integrate_ellipses(
    ellipses: Sequence[Ellipse], size_px: int, angles: np.ndarray, offsets_px: np.ndarray
) -> np.ndarray:
    """Return line integrals in units x pixels.

    Parameters
    ----------
    angles, offsets_px : ndarray of the same shape
        Normal of each ray in rad, and its distance from the centre (size - 1) / 2 of the image in pixels.
    """
    half = size_px / 2
    return half * sum(ellipse.integrate(angles, offsets_px / half) for ellipse in ellipses)
