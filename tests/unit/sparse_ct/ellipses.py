"""Ellipses, whose line integrals are known in closed form (Kak & Slaney, eq. 3.5): an oracle for projectors."""

from dataclasses import dataclass

import numpy as np

FINE = 8


@dataclass(frozen=True)
class Ellipse:
    """Half axes and centre in units of half the image, turned by `turn` rad; adds `value`."""

    value: float
    a: float
    b: float
    x: float
    y: float
    turn: float

    def cover(self, x, y):
        u = (x - self.x) * np.cos(self.turn) + (y - self.y) * np.sin(self.turn)
        v = -(x - self.x) * np.sin(self.turn) + (y - self.y) * np.cos(self.turn)
        return (u / self.a) ** 2 + (v / self.b) ** 2 <= 1

    def integral(self, angles, offsets):
        """Line integrals along x cos(angle) + y sin(angle) = offset, all in units of half the image."""
        width = (self.a * np.cos(angles - self.turn)) ** 2 + (self.b * np.sin(angles - self.turn)) ** 2
        distance = offsets - (self.x * np.cos(angles) + self.y * np.sin(angles))
        chord = np.sqrt(np.maximum(width - distance**2, 0))
        return 2 * self.value * self.a * self.b * chord / width


HEAD = [
    Ellipse(1.0, 0.69, 0.9, 0.0, 0.0, 0.0),
    Ellipse(-0.8, 0.66, 0.87, 0.0, -0.02, 0.0),
    Ellipse(-0.2, 0.11, 0.31, 0.22, 0.0, -0.3),
    Ellipse(-0.2, 0.16, 0.41, -0.22, 0.0, 0.3),
    Ellipse(0.1, 0.21, 0.25, 0.0, 0.35, 0.0),
    Ellipse(0.3, 0.05, 0.03, -0.08, -0.6, 0.0),
]


def draw(ellipses, size):
    """Return the image (size, size), each pixel the mean over its area."""
    edges = (np.arange(size * FINE) - (size * FINE - 1) / 2) / (size * FINE / 2)
    x, y = np.meshgrid(edges, edges)
    fine = sum(ellipse.value * ellipse.cover(x, y) for ellipse in ellipses)
    return fine.reshape(size, FINE, size, FINE).mean((1, 3))


def project(ellipses, geometry):
    """Return the exact sinogram (views, detectors) of a geometry."""
    half = geometry.size_px * geometry.pixel_mm / 2
    angles, offsets = geometry.rays()
    return half * sum(ellipse.integral(angles, offsets / half) for ellipse in ellipses)
