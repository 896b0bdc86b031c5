"""Surface Dice: the share of two outlines that lies within a tolerance of the other.

Source: Nikolov et al., Deep learning to achieve clinically applicable segmentation of head and neck anatomy
for radiotherapy, 2018, and its published implementation (google-deepmind/surface-distance), which KiTS23
uses. As there, an element of surface stands at each corner where eight voxels meet and do not agree, with the
area that marching cubes draws there. Distances are measured between elements; a search tree over them takes
memory by the size of the surface, where a distance transform takes it by that of the volume.
"""

from functools import lru_cache
from itertools import product

import numpy as np
from scipy.spatial import cKDTree
from skimage.measure import marching_cubes, mesh_surface_area

# Products of spacings are not exact: so much more than the tolerance still counts as within.
SLACK_MM = 1e-6
CORNERS = tuple(product((0, 1), repeat=3))
EMPTY, FULL = 0, 255

Spacing = tuple[float, float, float]


def surface_dice(
    truth: np.ndarray, prediction: np.ndarray, spacing_mm: Spacing, tolerance_mm: float
) -> float:
    """Return the share of both surfaces, by area, that lies within a tolerance of the other surface.

    Parameters
    ----------
    truth, prediction : ndarray of bool, shape (slices, rows, columns)
        Regions; one that reaches the edge of the volume has a surface there.
    spacing_mm : (slice, row, column)
    tolerance_mm : float

    Returns
    -------
    float
        In [0, 1]; 1 if both regions are empty, 0 if one of them is.
    """
    if not truth.any() or not prediction.any():
        return float(truth.any() == prediction.any())
    box = bounding_box(truth | prediction)
    places, areas = zip(
        *(_surface(mask[box], tuple(spacing_mm)) for mask in (truth, prediction)), strict=True
    )
    near = sum(
        own_areas[_near(own, other, tolerance_mm)].sum()
        for own, own_areas, other in ((places[0], areas[0], places[1]), (places[1], areas[1], places[0]))
    )
    return float(near / (areas[0].sum() + areas[1].sum()))


def bounding_box(mask: np.ndarray) -> tuple[slice, ...]:
    """Return the smallest box around what is set in `mask`; an empty one if nothing is."""
    ranges = []
    for axis in range(mask.ndim):
        hit = np.flatnonzero(mask.any(axis=tuple(other for other in range(mask.ndim) if other != axis)))
        ranges.append(slice(int(hit[0]), int(hit[-1]) + 1) if len(hit) else slice(0, 0))
    return tuple(ranges)


def _surface(mask: np.ndarray, spacing_mm: Spacing) -> tuple[np.ndarray, np.ndarray]:
    """Return places in mm, shape (elements, 3), and areas in mm² of the elements of a region's surface."""
    codes = _corner_codes(mask)
    elements = np.nonzero((codes != EMPTY) & (codes != FULL))
    return np.column_stack(elements) * np.asarray(spacing_mm), _areas_mm2(spacing_mm)[codes[elements]]


def _corner_codes(mask: np.ndarray) -> np.ndarray:
    """Return which of the eight voxels around each corner are set, as bits; one longer on each axis."""
    padded = np.pad(mask, 1).astype(np.uint8)
    codes = np.zeros([length + 1 for length in mask.shape], np.uint8)
    for bit, corner in enumerate(CORNERS):
        window = tuple(slice(step, step + length) for step, length in zip(corner, codes.shape, strict=True))
        codes |= padded[window] << bit
    return codes


@lru_cache(maxsize=64)
def _areas_mm2(spacing_mm: Spacing) -> np.ndarray:
    """Return the area that marching cubes draws among eight voxels, for each code of theirs."""
    areas = np.zeros(FULL + 1)
    for code in range(EMPTY + 1, FULL):
        voxels = np.array([code >> bit & 1 for bit in range(len(CORNERS))], np.float32).reshape(2, 2, 2)
        points, triangles, *_ = marching_cubes(voxels, 0.5, spacing=spacing_mm)
        areas[code] = mesh_surface_area(points, triangles)
    return areas


def _near(own: np.ndarray, other: np.ndarray, tolerance_mm: float) -> np.ndarray:
    """Return for each of `own` whether one of `other` is within the tolerance."""
    reach = tolerance_mm + SLACK_MM
    distances, _ = cKDTree(other).query(own, distance_upper_bound=reach)
    return distances <= reach
