"""Where a volume of a head shows the head."""

import numpy as np
from scipy import ndimage

# A voxel belongs to the head where it is brighter than this share of what is brighter than the mean.
LEVEL = 0.35
SMOOTH_MM = 3.0
# The highest plane counts as the top if the head takes this share of its largest plane.
TOP_SHARE = 0.05
# From the crown to below the cerebellum; what lies lower is neck, of which scans show more or less.
HEIGHT_MM = 160.0


def find_head(values: np.ndarray, voxel_mm: float) -> np.ndarray:
    """Return which voxels belong to the head, with all that it encloses.

    The largest connected piece of what is brighter than air. The dark skull, fluid and sinuses belong to it.

    Parameters
    ----------
    values : ndarray of float32, shape (i, j, k)
        Air, or what was removed around a brain, is the darkest.
    voxel_mm : float
        Edge of a voxel.

    Returns
    -------
    ndarray of bool, shape (i, j, k)
        Nothing at all if the volume is constant.
    """
    smooth = ndimage.gaussian_filter(values - values.min(), SMOOTH_MM / voxel_mm, mode="constant")
    above = smooth > smooth.mean()
    if not above.any():
        return above
    pieces, count = ndimage.label(smooth > LEVEL * smooth[above].mean())
    largest = 1 + int(np.argmax(np.bincount(pieces.ravel(), minlength=count + 1)[1:]))
    return ndimage.binary_fill_holes(pieces == largest)


def find_centre(head: np.ndarray, voxel_mm: float) -> np.ndarray:
    """Return the middle of a head without its neck, in voxels.

    From the right to the left and from the back to the front it is the centre of mass of the 160 mm below
    the crown; from the feet to the head it is the middle between the crown and where these end, or where the
    volume does. A bounding box would follow the nose and the length of the neck.

    Parameters
    ----------
    head : ndarray of bool, shape (i, j, k)
        Axes towards right, front and head; not empty.

    Returns
    -------
    ndarray of float64, shape (3,)
    """
    areas = head.sum(axis=(0, 1))
    planes = np.flatnonzero(areas >= TOP_SHARE * areas.max())
    crown = int(planes[-1])
    lowest = max(int(planes[0]), crown + 1 - round(HEIGHT_MM / voxel_mm))
    across = ndimage.center_of_mass(head[:, :, lowest : crown + 1])[:2]
    return np.array([*across, (lowest + crown) / 2])
