"""KiTS19 cases: a CT volume and its labels in one orientation, whatever that of their files."""

from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from nibabel.affines import apply_affine
from nibabel.orientations import apply_orientation, axcodes2ornt, io_orientation, ornt_transform

from medscale.errors import InputError
from medscale.files.hounsfield import check_hu
from medscale.files.volumes import Volume, affine_mm, open_header
from medscale.files.voxels import read_voxels

# Where slices, rows and columns of a KiTS19 file run to: feet, back, left. All 210 are so.
AXES = "IPL"
CLASSES = ("background", "kidney", "tumour")
# How far the corners of two grids that are meant to be one may lie apart, in edges of the smallest voxel.
# A qform keeps angles in single precision; a grid that is off by a voxel is far outside.
MOST_APART = 0.1
# By how much a label that is a fraction on the disk may miss the whole number that was meant.
ROUNDING = 1e-4


@dataclass(frozen=True)
class Grid:
    """How a file's voxels lie in space.

    Attributes
    ----------
    shape : (i, j, k)
        In the axis order of the file.
    affine : ndarray of float64, shape (4, 4)
        Turns (i, j, k, 1) into mm to the patient's right, front and head (RAS+).
    """

    shape: tuple[int, int, int]
    affine: np.ndarray

    @property
    def case_shape(self) -> tuple[int, int, int]:
        """Slices, rows and columns."""
        return tuple(self.shape[axis] for axis in self._axes)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distances between slices, rows and columns."""
        lengths = np.linalg.norm(self.affine[:3, :3], axis=0)
        return tuple(float(lengths[axis]) for axis in self._axes)

    def to_case(self, values: np.ndarray) -> np.ndarray:
        """Return values in file axes as a view (slices, rows, columns) that runs as `AXES` says.

        An oblique grid is taken for the upright one that is nearest; nothing is interpolated.
        """
        return apply_orientation(values, ornt_transform(io_orientation(self.affine), axcodes2ornt(AXES)))

    def to_file(self, values: np.ndarray) -> np.ndarray:
        """Return (slices, rows, columns) as a view in the axes of the file."""
        return apply_orientation(values, ornt_transform(axcodes2ornt(AXES), io_orientation(self.affine)))

    @property
    def _axes(self) -> list[int]:
        """File axes of slices, rows and columns."""
        directions = ornt_transform(io_orientation(self.affine), axcodes2ornt(AXES))
        return [int(axis) for axis in np.argsort(directions[:, 0])]


@dataclass(frozen=True)
class Case:
    """One patient's CT with its labels.

    Attributes
    ----------
    hu : ndarray, shape (slices, rows, columns)
        Hounsfield units: whole numbers in the file's own data type, others as float32. A view of the values
        as they lie in the file: take slices with `each_slice`.
    labels : ndarray of uint8, shape (slices, rows, columns), or None
        Numbers of `CLASSES`.
    grid : Grid
        Of the file with the CT.
    """

    hu: np.ndarray
    labels: np.ndarray | None
    grid: Grid


def read_grid(path: str | Path) -> Grid:
    """Read how a NIfTI file's voxels lie in space, but none of them.

    Raises
    ------
    InputError
        If the header cannot be read or describes no volume in space.
    """
    image = open_header(path)
    return Grid(image.shape[:3], affine_mm(image))


def read_case(imaging: str | Path, segmentation: str | Path | None = None) -> Case:
    """Read a case, and bring it to KiTS19's orientation.

    Raises
    ------
    InputError
        If a file is missing, damaged, truncated or not three-dimensional, the two do not lie in the same
        place, the CT is not in HU, or a label is not 0, 1 or 2.
    """
    check_same_place(imaging, segmentation)
    volume = read_voxels(imaging)
    check_hu(volume.values, imaging)
    grid = Grid(volume.values.shape, volume.affine)
    labels = read_segmentation(segmentation)[0] if segmentation else None
    return Case(grid.to_case(volume.values), labels, grid)


def read_segmentation(path: str | Path) -> tuple[np.ndarray, Grid]:
    """Read labels, and bring them to KiTS19's orientation.

    Returns
    -------
    labels : ndarray of uint8, shape (slices, rows, columns)
        Numbers of `CLASSES`.
    grid : Grid
        Of the file.

    Raises
    ------
    InputError
        If the file cannot be read, or a label is not 0, 1 or 2. Whole numbers may be stored as fractions.
    """
    volume = read_voxels(path)
    grid = Grid(volume.values.shape, volume.affine)
    return grid.to_case(_check_labels(volume.values, path)), grid


def to_original(labels: np.ndarray, grid: Grid) -> Volume:
    """Return labels (slices, rows, columns) as a volume on the grid of the case's own file.

    Raises
    ------
    ValueError
        If their shape is not that of the case.
    """
    if labels.shape != grid.case_shape:
        raise ValueError(f"labels of shape {labels.shape} for a case of shape {grid.case_shape}")
    return Volume(grid.to_file(labels), grid.affine)


def check_same_place(imaging: str | Path, segmentation: str | Path | None) -> Grid:
    """Return the grid of a case's CT, once its labels are known to lie on it; voxels are not read.

    Raises
    ------
    InputError
        If a header cannot be read, or the two differ in shape or place.
    """
    grid = read_grid(imaging)
    if not segmentation:
        return grid
    other = read_grid(segmentation)
    expected = f"the grid of {imaging}: {_describe(grid)}"
    mend = "Give the labels that were drawn on this volume, in its own grid, or leave the case out."
    if other.shape != grid.shape:
        raise InputError(segmentation, _describe(other), expected, mend)
    apart = _corners_apart(grid, other)
    if apart > MOST_APART * min(grid.spacing_mm):
        found = f"{_describe(other)}, with corners up to {apart:.3g} mm away"
        raise InputError(segmentation, found, expected, mend)
    return grid


def _describe(grid: Grid) -> str:
    spacing = " × ".join(f"{step:.4g}" for step in np.linalg.norm(grid.affine[:3, :3], axis=0))
    origin = ", ".join(f"{place:.4g}" for place in grid.affine[:3, 3])
    return f"{' × '.join(map(str, grid.shape))} voxels of {spacing} mm from ({origin}) mm on"


def _corners_apart(one: Grid, other: Grid) -> float:
    corners = np.array(list(product(*((0, length - 1) for length in one.shape))))
    steps = apply_affine(one.affine, corners) - apply_affine(other.affine, corners)
    return float(np.linalg.norm(steps, axis=1).max())


def _check_labels(values: np.ndarray, path: str | Path) -> np.ndarray:
    """Return labels as uint8, the values themselves where they are; memory order is kept."""
    labels = values if values.dtype == np.uint8 else np.empty_like(values, np.uint8)
    # Along the last axis, which is the slowest in a file's memory.
    for part, out in zip(np.moveaxis(values, -1, 0), np.moveaxis(labels, -1, 0), strict=True):
        whole = part if part.dtype.kind in "iu" else np.rint(part)
        if not (whole.min() >= 0 and whole.max() < len(CLASSES)) or _fractions(part, whole):
            raise _refuse_labels(values, path)
        if labels is not values:
            out[...] = whole
    return labels


def _fractions(part: np.ndarray, whole: np.ndarray) -> bool:
    return whole is not part and bool(np.abs(part - whole).max() > ROUNDING)


def _refuse_labels(values: np.ndarray, path: str | Path) -> InputError:
    found = [f"{value:.6g}" for value in np.unique(values)]
    listed = ", ".join(found[:8]) + (f" and {len(found) - 8} more" if len(found) > 8 else "")
    expected = "0 (background), 1 (kidney, cysts included) and 2 (tumour) alone"
    mend = "Give KiTS19's labels; a mask of probabilities has to be cut at one of them first."
    return InputError(path, f"the labels {listed}", expected, mend)
