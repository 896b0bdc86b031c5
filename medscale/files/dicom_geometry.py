"""Where DICOM slices lie, and how they stack up to a volume."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset

from medscale.files.dicom_headers import read_numbers, read_text, refuse

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
DIRECTION_TOLERANCE = 1e-3
SPACING_TOLERANCE = 1e-3
GAP_TOLERANCE = 0.05
SAME_PLACE_MM = 1e-3
MAX_DRIFT_PX = 0.5
MAX_PIXELS = 2**26


@dataclass(frozen=True)
class SlicePlace:
    """Where one slice lies, in mm to the patient's left, back and head (DICOM's LPS+).

    Attributes
    ----------
    path : Path
    series : str
        SeriesInstanceUID, empty where there is none.
    shape : tuple of int
        (rows, columns).
    origin : ndarray, shape (3,)
        Centre of the first pixel.
    along_row, along_column : ndarray, shape (3,)
        Unit vectors towards the next column and towards the next row.
    row_mm, column_mm : float
        Distances between rows and between columns.
    thickness_mm : float
        As the header says, else 1.
    """

    path: Path
    series: str
    shape: tuple[int, int]
    origin: np.ndarray
    along_row: np.ndarray
    along_column: np.ndarray
    row_mm: float
    column_mm: float
    thickness_mm: float

    @property
    def normal(self) -> np.ndarray:
        """Unit vector perpendicular to the slice."""
        return np.cross(self.along_row, self.along_column)


def place_slice(header: FileDataset, path: Path) -> SlicePlace:
    """Read the place of one slice.

    Raises
    ------
    InputError
        If its size, position, orientation or pixel spacing is missing or impossible.
    """
    origin = read_numbers(header, "ImagePositionPatient", 3, path)
    orientation = read_numbers(header, "ImageOrientationPatient", 6, path)
    spacing = read_numbers(header, "PixelSpacing", 2, path)
    if origin is None or orientation is None or spacing is None:
        raise refuse(path, "no ImagePositionPatient, ImageOrientationPatient or PixelSpacing")
    directions = orientation.reshape(2, 3)
    if np.abs(directions @ directions.T - np.eye(2)).max() > DIRECTION_TOLERANCE:
        found = f"an ImageOrientationPatient of {orientation.tolist()}, not two perpendicular unit vectors"
        raise refuse(path, found)
    if spacing.min() <= 0:
        raise refuse(path, f"a PixelSpacing of {spacing.tolist()} mm")
    return SlicePlace(
        path=path,
        series=read_text(header, "SeriesInstanceUID", path),
        shape=_shape(header, path),
        origin=origin,
        along_row=directions[0],
        along_column=directions[1],
        row_mm=float(spacing[0]),
        column_mm=float(spacing[1]),
        thickness_mm=_thickness(header, path),
    )


def stack_slices(places: Sequence[SlicePlace], where: str | Path) -> tuple[list[SlicePlace], np.ndarray]:
    """Sort the slices of one series along their normal.

    Returns
    -------
    places : list of SlicePlace
    affine : ndarray, shape (4, 4)
        Turns (column, row, slice, 1) into mm (RAS+).

    Raises
    ------
    InputError
        If the slices are of several series, sizes, orientations or spacings, lie at the same place, leave
        gaps, or are sheared against each other by a tilted gantry.
    """
    first = places[0]
    for place in places[1:]:
        _check_same_series(first, place)
    places = sorted(places, key=lambda place: float(place.origin @ first.normal))
    step_mm = _check_steps(places, where) if len(places) > 1 else first.thickness_mm
    affine = np.eye(4)
    affine[:3, 0] = first.along_row * first.column_mm
    affine[:3, 1] = first.along_column * first.row_mm
    affine[:3, 2] = first.normal * step_mm
    affine[:3, 3] = places[0].origin
    return places, LPS_TO_RAS @ affine


def _shape(header: FileDataset, path: Path) -> tuple[int, int]:
    lengths = (read_numbers(header, keyword, 1, path) for keyword in ("Rows", "Columns"))
    rows, columns = (0 if length is None else int(length[0]) for length in lengths)
    if not 0 < rows * columns <= MAX_PIXELS:
        raise refuse(path, f"{rows} × {columns} pixels")
    return rows, columns


def _thickness(header: FileDataset, path: Path) -> float:
    stated = read_numbers(header, "SliceThickness", 1, path)
    return float(stated[0]) if stated is not None and stated[0] > 0 else 1.0


def _check_same_series(first: SlicePlace, other: SlicePlace) -> None:
    directions = np.abs([first.along_row - other.along_row, first.along_column - other.along_column])
    spacings = np.array([first.row_mm / other.row_mm, first.column_mm / other.column_mm])
    differences = {
        f"series {other.series}": first.series != other.series,
        f"{other.shape[0]} × {other.shape[1]} pixels": first.shape != other.shape,
        "another orientation": directions.max() > DIRECTION_TOLERANCE,
        f"pixels of {other.row_mm} × {other.column_mm} mm": np.abs(spacings - 1).max() > SPACING_TOLERANCE,
    }
    found = [name for name, differs in differences.items() if differs]
    if found:
        mend = "Put each series into a folder of its own, or name single files."
        raise refuse(other.path, f"{', '.join(found)}, unlike {first.path.name} beside it", mend)


def _check_steps(places: Sequence[SlicePlace], where: str | Path) -> float:
    """Return the distance between slices in mm, if all are equal."""
    normal = places[0].normal
    offsets = np.array([place.origin - places[0].origin for place in places])
    heights = offsets @ normal
    gaps = np.diff(heights)
    if gaps.min() < SAME_PLACE_MM:
        number = int(gaps.argmin())
        found = f"{places[number].path.name} and {places[number + 1].path.name} at the same place"
        raise refuse(where, found, "Remove one of the two, or name single files.")
    usual = float(np.median(gaps))
    if np.abs(gaps - usual).max() > GAP_TOLERANCE * usual:
        number = int(np.abs(gaps - usual).argmax())
        name = places[number].path.name
        found = f"a gap of {gaps[number]:.4g} mm after {name} where others have {usual:.4g} mm"
        raise refuse(where, found, "Fetch the missing slices, or name single files.")
    drift = np.linalg.norm(offsets - np.outer(heights, normal), axis=1).max()
    if drift > MAX_DRIFT_PX * places[0].column_mm:
        found = f"slices that drift sideways by {drift:.3g} mm (a tilted gantry)"
        raise refuse(where, found, "Name single files, or resample the series to an upright NIfTI volume.")
    return float(gaps.mean())
