"""How axial slices lie in the axes of a volume's file."""

from dataclasses import dataclass

import numpy as np
from nibabel.orientations import io_orientation

RIGHT, FRONT, HEAD = range(3)


@dataclass(frozen=True)
class AxialLayout:
    """Where slices, rows and columns are found among the axes of a file.

    Slices keep the file's order, so that a slice has the number that viewers show. Rows go from the
    patient's front to the back and columns from right to left, as radiologists look at them.

    Attributes
    ----------
    axes : tuple of int
        File axes of slices, rows and columns.
    reversed_axes : tuple of int
        Which of slices (0), rows (1) and columns (2) run against the file.
    """

    axes: tuple[int, int, int]
    reversed_axes: tuple[int, ...]

    def to_slices(self, values: np.ndarray) -> np.ndarray:
        """Return values in file axes as a view of shape (slices, rows, columns)."""
        return np.flip(values.transpose(self.axes), self.reversed_axes)

    def to_file(self, slices: np.ndarray) -> np.ndarray:
        """Return (slices, rows, columns) as a view in file axes."""
        return np.flip(slices, self.reversed_axes).transpose(np.argsort(self.axes))


def axial_layout(affine: np.ndarray) -> AxialLayout:
    """Find the layout from an affine to RAS+ mm: slices follow the file axis that is closest to the head."""
    directions = io_orientation(affine)
    axes = [int(np.flatnonzero(directions[:, 0] == towards)[0]) for towards in (HEAD, FRONT, RIGHT)]
    # Rows must lead away from the front and columns away from the right, the positive directions of RAS+.
    turned = tuple(place for place in (1, 2) if directions[axes[place], 1] > 0)
    return AxialLayout(tuple(axes), turned)


def spacing_mm(affine: np.ndarray, layout: AxialLayout) -> tuple[float, float, float]:
    """Return the distances between slices, rows and columns in mm."""
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    return tuple(float(lengths[axis]) for axis in layout.axes)


def tilt_degrees(affine: np.ndarray, layout: AxialLayout) -> float:
    """Return the angle between the body axis and the slices' axis or normal, whichever is larger."""
    slices, rows, columns = (affine[:3, axis] for axis in layout.axes)
    cosines = [abs(line[HEAD]) / np.linalg.norm(line) for line in (slices, np.cross(rows, columns))]
    return float(np.degrees(np.arccos(np.clip(min(cosines), 0, 1))))
