"""Nuclei: points blurred to bumps, and bumps cut to discs."""

from dataclasses import dataclass

import cv2
import numpy as np

CUT = 0.3
# Standard deviation of a nucleus's distance from its site, as a share of the spacing.
SHAKE = 0.18
# A Gaussian bump of height 1 falls to CUT at this many standard deviations.
RADIUS_SIGMAS = float(np.sqrt(-2 * np.log(CUT)))


@dataclass(frozen=True)
class Cell:
    """How the nuclei of one kind of cell look.

    Attributes
    ----------
    spacing_um : float
        Distance between neighbours where the tissue is full of them.
    diameter_um : float
        Diameter of a typical nucleus.
    length_um : float
        By how much it is longer than wide.
    spread : float
        Standard deviation of the logarithm of the bumps' heights: how much nuclei differ in size.
    darkness : float
        Haematoxylin of its chromatin.
    hollow : float
        Share of the haematoxylin that is missing inside the rim: open chromatin.
    """

    spacing_um: float
    diameter_um: float
    length_um: float
    spread: float
    darkness: float
    hollow: float


LYMPHOCYTE = Cell(8.0, 7.0, 0.0, 0.15, 1.0, 0.0)
CENTROBLAST = Cell(9.8, 8.2, 1.0, 0.15, 0.8, 0.25)
HISTIOCYTE = Cell(12.0, 7.8, 3.0, 0.15, 0.75, 0.25)
FIBROCYTE = Cell(14.0, 4.5, 12.0, 0.2, 0.9, 0.0)
TUMOUR_CELL = Cell(18.5, 13.5, 2.5, 0.35, 0.85, 0.45)


def paint_nuclei(
    rng: np.random.Generator, cell: Cell, density: np.ndarray, zoom: int, um_px: float
) -> np.ndarray:
    """Paint the haematoxylin of all nuclei of one kind.

    Parameters
    ----------
    density : ndarray, shape (rows, columns), float32
        Probability that a site holds a nucleus.
    zoom : int
        Pixels of the painting for each pixel of `density`.
    um_px : float
        Edge of the painting's pixels in µm.

    Returns
    -------
    ndarray, shape (rows * zoom, columns * zoom), float32
        Haematoxylin in [0, about 1].
    """
    shape = (density.shape[0] * zoom, density.shape[1] * zoom)
    sigma = cell.diameter_um / 2 / um_px / RADIUS_SIGMAS
    places = _draw_places(rng, density, zoom, cell.spacing_um / um_px)
    heights = np.exp(cell.spread * rng.standard_normal(len(places), dtype=np.float32))
    points = _set_points(rng, shape, places, heights, cell.length_um / um_px, sigma)
    size = 2 * int(np.ceil(3 * sigma)) + 1
    bumps = cv2.GaussianBlur(points, (size, size), sigma)
    return _cut(bumps, cell, sigma)


def _draw_places(rng: np.random.Generator, density: np.ndarray, zoom: int, spacing_px: float) -> np.ndarray:
    """Draw rows and columns, shape (n, 2), on a shaken hexagonal grid, kept with probability `density`."""
    height, width = density.shape[0] * zoom, density.shape[1] * zoom
    row = np.arange(0, height, spacing_px * np.sqrt(0.75), dtype=np.float32)
    column = np.arange(0, width, spacing_px, dtype=np.float32)
    rows, columns = np.meshgrid(row, column, indexing="ij")
    columns = columns + (np.arange(len(row)) % 2)[:, None] * np.float32(spacing_px / 2)
    rows = rows + spacing_px * SHAKE * rng.standard_normal(rows.shape, dtype=np.float32)
    columns = columns + spacing_px * SHAKE * rng.standard_normal(rows.shape, dtype=np.float32)
    row_px = np.clip(rows.ravel(), 0, height - 1).astype(np.int32)
    column_px = np.clip(columns.ravel(), 0, width - 1).astype(np.int32)
    kept = rng.random(len(row_px), dtype=np.float32) < density[row_px // zoom, column_px // zoom]
    return np.stack([row_px[kept], column_px[kept]], axis=1)


def _set_points(
    rng: np.random.Generator,
    shape: tuple[int, int],
    places: np.ndarray,
    heights: np.ndarray,
    length_px: float,
    sigma: float,
) -> np.ndarray:
    """Set each nucleus as one point, or as three in a row if it is long."""
    points = np.zeros(shape, np.float32)
    peak = np.float32(2 * np.pi * sigma**2)
    if length_px == 0:
        points[places[:, 0], places[:, 1]] = heights * peak
        return points
    angle = rng.uniform(0, np.pi, len(places))
    half = np.stack([np.sin(angle), np.cos(angle)], axis=1) * length_px / 2
    share = np.float32(1 / (1 + 2 * np.exp(-((length_px / 2 / sigma) ** 2) / 2)))
    for step in (-1, 0, 1):
        at = np.rint(places + step * half).astype(np.int32)
        at = np.clip(at, 0, np.array(shape) - 1)
        points[at[:, 0], at[:, 1]] += heights * peak * share
    return points


def _cut(bumps: np.ndarray, cell: Cell, sigma: float) -> np.ndarray:
    """Turn bumps into discs with an edge of one pixel, paler inside by `cell.hollow`."""
    slope = np.float32(2.15 * sigma)
    disc = np.clip((bumps - CUT) * slope + 0.5, 0, 1)
    if cell.hollow:
        inside = np.clip((bumps - 0.6) * slope + 0.5, 0, 1)
        disc -= inside * np.float32(cell.hollow)
        disc += np.clip((bumps - 1.15) * slope, 0, 1) * np.float32(0.8 * cell.hollow)
    return disc * np.float32(cell.darkness)
