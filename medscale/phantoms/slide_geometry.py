"""Closed outlines in µm: the shapes of nodes and lesions."""

import cv2
import numpy as np

OUTLINE_POINTS = 96


def draw_outline(rng: np.random.Generator, length_um: float, aspect: float, roughness: float) -> np.ndarray:
    """Draw a wavy ellipse around the origin whose longest Feret diameter is exactly `length_um`.

    Parameters
    ----------
    length_um : float
        Longest diameter in µm.
    aspect : float
        Width divided by length, before the waves.
    roughness : float
        Height of the largest wave, as a share of the radius.

    Returns
    -------
    ndarray, shape (96, 2)
        x and y of the corners in µm.
    """
    angle = np.linspace(0, 2 * np.pi, OUTLINE_POINTS, endpoint=False)
    radius = np.ones(OUTLINE_POINTS)
    for wave in range(2, 8):
        radius += roughness / wave * rng.normal() * np.cos(wave * angle + rng.uniform(0, 2 * np.pi))
    radius = np.maximum(radius, 0.4)[:, None]
    points = radius * np.stack([np.cos(angle), aspect * np.sin(angle)], axis=1)
    return points * (length_um / measure_feret(points))


def rotate(points: np.ndarray, angle: float) -> np.ndarray:
    """Turn `points`, shape (n, 2), around the origin by `angle` radians."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return points @ turn.T


def measure_feret(points: np.ndarray) -> float:
    """Return the longest distance between two of `points`, shape (n, 2), in their unit."""
    steps = points[:, None, :] - points[None, :, :]
    return float(np.sqrt((steps**2).sum(axis=2)).max())


def depth_inside(points: np.ndarray, outline: np.ndarray) -> float:
    """Return the smallest depth of `points` below `outline` in their unit; negative if one is outside."""
    contour = outline.astype(np.float32)[:, None, :]
    return min(cv2.pointPolygonTest(contour, (float(x), float(y)), True) for x, y in points)


def keeps_clear(points: np.ndarray, others: list[np.ndarray], gap_um: float) -> bool:
    """Tell whether the circle around `points` stays `gap_um` away from the circles around `others`."""
    centre, radius = _circle(points)
    circles = (_circle(other) for other in others)
    return all(np.hypot(*(centre - c)) > radius + r + gap_um for c, r in circles)


def _circle(points: np.ndarray) -> tuple[np.ndarray, float]:
    centre = points.mean(axis=0)
    return centre, float(np.hypot(*(points - centre).T).max())
