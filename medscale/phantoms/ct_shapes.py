"""Bodies in space, in mm, and their outlines in one axial plane.

x points to the patient's left, y to the back, z to the head.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator

from medscale.phantoms.ct_sections import parse_points

OUTLINE_POINTS = 72
CIRCLE = np.linspace(0, 2 * np.pi, OUTLINE_POINTS, endpoint=False)


def ellipse(x: float, y: float, a: float, b: float, angle: float = 0.0) -> np.ndarray:
    """Return an ellipse around (x, y), semi-axis `a` turned by `angle` radians; shape (72, 2), mm."""
    along, across = a * np.cos(CIRCLE), b * np.sin(CIRCLE)
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([x + along * cos - across * sin, y + along * sin + across * cos], axis=1)


def smooth(corners: np.ndarray) -> np.ndarray:
    """Return the closed smooth line through `corners`, shape (n, 2), as 72 points."""
    closed = np.concatenate([corners, corners[:1]])
    spline = CubicSpline(np.arange(len(closed)), closed, bc_type="periodic")
    return spline(np.linspace(0, len(corners), OUTLINE_POINTS, endpoint=False))


def shrink(outline: np.ndarray, depth_mm: float) -> np.ndarray | None:
    """Draw `outline` in by about `depth_mm` towards its middle; None where nothing is left."""
    middle = outline.mean(axis=0)
    spokes = outline - middle
    lengths = np.maximum(np.hypot(*spokes.T), 1e-6)
    left = np.maximum(lengths - depth_mm, 0)
    return middle + spokes * (left / lengths)[:, None] if left.max() > 0.2 else None


@dataclass(frozen=True)
class Tube:
    """An organ whose axial sections are ellipses, tapering to a rounded end at both ends.

    Attributes
    ----------
    z : ndarray, shape (k,)
        Ascending heights at which the section is given, mm.
    sections : ndarray, shape (k, 5)
        x, y, semi-axes a and b in mm and angle in radians at these heights.
    caps : (below, above)
        Lengths in mm of the rounded ends beyond the first and the last height.
    """

    z: np.ndarray
    sections: np.ndarray
    caps: tuple[float, float]

    def outline(self, z: float) -> np.ndarray | None:
        """Return the section at height `z`, shape (72, 2), or None where there is none."""
        share = _taper(z, self.z[0], self.z[-1], self.caps)
        if share <= 0:
            return None
        x, y, a, b, angle = (np.interp(z, self.z, column) for column in self.sections.T)
        return ellipse(x, y, share * a, share * b, angle)

    def moved(self, x: float, y: float, z: float, scale: float = 1.0) -> "Tube":
        """Return the tube shifted by x, y, z and with its sections enlarged by `scale`."""
        change = np.array([[1, 1, scale, scale, 1]])
        shift = np.array([[x, y, 0, 0, 0]])
        return replace(self, z=self.z + z, sections=self.sections * change + shift)


@dataclass(frozen=True)
class Organ:
    """An organ given by smooth sections of free shape at some heights.

    Attributes
    ----------
    z : ndarray, shape (k,), k > 1
        Ascending heights, mm.
    corners : ndarray, shape (k, points, 2)
        Corners of the sections at these heights: x and y as shares of the cavity's half-width and half-depth.
    caps : (below, above)
        Lengths of the rounded ends, mm.
    """

    z: np.ndarray
    corners: np.ndarray
    caps: tuple[float, float]

    def outline(self, z: float) -> np.ndarray | None:
        """Return the section at height `z` in shares of the cavity, shape (72, 2), or None."""
        share = _taper(z, self.z[0], self.z[-1], self.caps)
        if share <= 0:
            return None
        after = int(np.clip(np.searchsorted(self.z, z), 1, len(self.z) - 1))
        low, high = self.z[after - 1], self.z[after]
        weight = np.clip((z - low) / (high - low), 0, 1)
        corners = (1 - weight) * self.corners[after - 1] + weight * self.corners[after]
        middle = corners.mean(axis=0)
        return smooth(middle + share * (corners - middle))

    def varied(self, rng: np.random.Generator, spread: float, shift_mm: float) -> "Organ":
        """Return another patient's organ: corners moved by about `spread` of the cavity, and its height."""
        corners = self.corners * (1 + rng.normal(0, spread)) + rng.normal(0, spread, 2)
        corners = corners + rng.normal(0, spread, self.corners.shape[1:])
        return replace(self, z=self.z + rng.normal(0, shift_mm), corners=corners)


@dataclass(frozen=True)
class Hose:
    """A bent tube: the union of balls along a line.

    Attributes
    ----------
    centres : ndarray, shape (n, 3)
        x, y, z in mm, closer together than the radii.
    radii : ndarray, shape (n,)
        mm.
    """

    centres: np.ndarray
    radii: np.ndarray

    def outlines(self, z: float, wall_mm: float = 0.0) -> list[np.ndarray]:
        """Return the circles in which the balls, smaller by `wall_mm`, cut the plane at height `z`."""
        rest = np.maximum(self.radii - wall_mm, 0) ** 2 - (self.centres[:, 2] - z) ** 2
        cut = np.flatnonzero(rest > 0)
        return [ellipse(*self.centres[i, :2], np.sqrt(rest[i]), np.sqrt(rest[i])) for i in cut]


def tube(text: str, scale: tuple[float, float], caps: tuple[float, float]) -> Tube:
    """Build a tube from a line of a table of sections, for a patient wider and deeper by `scale`."""
    points = parse_points(text)
    mean = np.sqrt(scale[0] * scale[1])
    return Tube(points[:, 0], points[:, 1:] * (*scale, mean, mean, 1), caps)


def string_balls(points: np.ndarray) -> Hose:
    """Place balls 1 mm apart on the smooth line through `points`, shape (n, 4): x, y, z and radius in mm."""
    along = np.insert(np.cumsum(np.sqrt((np.diff(points[:, :3], axis=0) ** 2).sum(axis=1))), 0, 0)
    balls = PchipInterpolator(along, points)(np.arange(0, along[-1], 1.0))
    return Hose(balls[:, :3], balls[:, 3])


def capsule(start: np.ndarray, end: np.ndarray, radius: float, z: float, slab_mm: float) -> np.ndarray | None:
    """Return the outline of a thin vessel's part between `z` ± `slab_mm`, seen along z.

    Parameters
    ----------
    start, end : ndarray, shape (3,)
        mm.

    Returns
    -------
    ndarray, shape (n, 2), convex, or None
    """
    low, high = (start, end) if start[2] <= end[2] else (end, start)
    if high[2] < z - slab_mm or low[2] > z + slab_mm:
        return None
    rise = max(high[2] - low[2], 1e-6)
    first, last = np.clip((np.array([z - slab_mm, z + slab_mm]) - low[2]) / rise, 0, 1)
    (x0, y0), (x1, y1) = ((low + share * (high - low))[:2] for share in (first, last))
    turn = np.arctan2(y1 - y0, x1 - x0) + np.linspace(np.pi / 2, 3 * np.pi / 2, 9)
    back = np.stack([x0 + radius * np.cos(turn), y0 + radius * np.sin(turn)], axis=1)
    front = np.stack([x1 - radius * np.cos(turn), y1 - radius * np.sin(turn)], axis=1)
    return np.concatenate([back, front])


def _taper(z: float, low: float, high: float, caps: tuple[float, float]) -> float:
    """Return the share of a section's size that is left at `z`: 1 inside, an ellipse's arc in the caps."""
    outside = low - z if z < low else max(z - high, 0.0)
    cap = caps[0] if z < low else caps[1]
    return float(np.sqrt(1 - (outside / cap) ** 2)) if outside < cap else float(outside == 0)
