"""Rasterising the outline with the most corners among those of CAMELYON16."""

import time

import numpy as np

from medscale.pathology.annotations import Outline, rasterise_outlines

CORNERS = 18_242
EDGE_PX = 100_000
UM_PX = 0.243


def time_rasterising() -> list[tuple[str, str]]:
    """Return a row (what, seconds) for one outline of as many corners as the largest of Tumor_021."""
    angles = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    radius = 30_000 * (1 + 0.1 * np.sin(40 * angles) + 0.01 * np.random.default_rng(0).random(CORNERS))
    points = EDGE_PX / 2 + radius[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    started = time.perf_counter()
    rasterise_outlines([Outline(points, "tumour")], EDGE_PX, EDGE_PX, UM_PX, 8.0, "benchmark")
    return [(f"mask of an outline with {CORNERS} corners", f"{time.perf_counter() - started:.2f} s")]
