"""Lesions of demo patients: nodules of the lung, lesions of liver, kidneys and bones."""

from dataclasses import dataclass

import numpy as np

from medscale.phantoms.ct_body import Body
from medscale.phantoms.ct_canvas import Canvas
from medscale.phantoms.ct_shapes import CIRCLE

KIDNEY = ("kidney_cortex", "kidney_medulla")
# Tissue of the lesion, what it grows in, most of them in one patient, smallest and largest radius in mm, and
# the box x, y (shares of the cavity) and z (mm) in which it may lie.
KINDS = (
    ("nodule", ("lung", "lung_vessel"), 5, (2.0, 13.0), ((-0.85, 0.85), (-0.75, 0.75), (130, 320))),
    ("liver_lesion", ("liver", "liver_vessel"), 5, (4.0, 20.0), ((-0.85, 0.1), (-0.65, 0.45), (55, 175))),
    ("cyst", ("liver", *KIDNEY), 5, (4.0, 16.0), ((-0.85, 0.7), (-0.3, 0.6), (15, 150))),
    ("sclerosis", ("marrow",), 6, (2.5, 8.0), ((-0.15, 0.15), (0.5, 0.95), (0, 320))),
)


@dataclass(frozen=True)
class Lesion:
    """A wavy ball.

    Attributes
    ----------
    tissue : str
    over : tuple of str
        Tissues in which it grows.
    middle : (x, y, z)
        mm.
    radius : float
        mm.
    waves : ndarray, shape (k, 2)
        Height, as a share of the radius, and phase of the waves two and more around it.
    """

    tissue: str
    over: tuple[str, ...]
    middle: tuple[float, float, float]
    radius: float
    waves: np.ndarray

    def outline(self, z: float) -> np.ndarray | None:
        """Return the section at height `z`, shape (72, 2), or None."""
        rest = self.radius**2 - (z - self.middle[2]) ** 2
        if rest <= 0:
            return None
        radius = np.ones(len(CIRCLE))
        for number, (height, phase) in enumerate(self.waves, start=2):
            radius += height * np.cos(number * CIRCLE + phase + 0.05 * z)
        radius *= np.sqrt(rest)
        ray = np.stack([np.cos(CIRCLE), np.sin(CIRCLE)], axis=1)
        return radius[:, None] * ray + self.middle[:2]


def plan_lesions(body: Body, rng: np.random.Generator) -> tuple[Lesion, ...]:
    """Draw one patient's lesions; some patients have none."""
    lesions = []
    for tissue, over, most, (small, large), box in KINDS:
        for _ in range(int(rng.integers(0, most + 1)) if rng.random() < 0.6 else 0):
            x, y, z = (float(rng.uniform(*ends)) for ends in box)
            width, depth = body.cavity_half(z)
            radius = float(np.exp(rng.uniform(np.log(small), np.log(large))))
            waves = np.column_stack([rng.normal(0, 0.06, 5), rng.uniform(0, 2 * np.pi, 5)])
            lesions.append(Lesion(tissue, over, (x * width, y * depth, z), radius, waves))
    return tuple(lesions)


def draw_lesions(canvas: Canvas, lesions: tuple[Lesion, ...], z: float) -> None:
    """Paint the lesions where their organ is."""
    for lesion in lesions:
        canvas.fill(lesion.outline(z), lesion.tissue, over=lesion.over)
