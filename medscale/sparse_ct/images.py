"""CT images in Hounsfield units, read from DICOM, NIfTI and PNG with the same checks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from medscale.errors import InputError
from medscale.files.dicom import read_dicom
from medscale.files.volumes import Volume, affine_mm, is_nifti, open_nifti, read_nifti, write_nifti
from medscale.sparse_ct.axial import AxialLayout, axial_layout, spacing_mm, tilt_degrees
from medscale.sparse_ct.hounsfield import AIR_HU, clean_hu
from medscale.sparse_ct.png_slices import PngScale, read_png

MAX_TILT_DEGREES = 5.0
MAX_SPACING_DIFFERENCE = 0.005


@dataclass(frozen=True)
class CtImage:
    """Axial slices in Hounsfield units, which know how they lie in their file.

    Attributes
    ----------
    hu : ndarray of float32, shape (slices, rows, columns)
        Slices in the file's order, rows from front to back, columns from the patient's right to left.
    affine : ndarray, shape (4, 4)
        Turns indices of the file's axes into mm (RAS+).
    """

    hu: np.ndarray
    affine: np.ndarray

    @classmethod
    def from_volume(cls, volume: Volume) -> "CtImage":
        """Arrange the values of a volume as slices, rows and columns, without any check."""
        slices = axial_layout(volume.affine).to_slices(volume.values)
        return cls(np.ascontiguousarray(slices, np.float32), volume.affine)

    @classmethod
    def of_slices(cls, hu: np.ndarray, pixel_mm: float, slice_mm: float = 1.0) -> "CtImage":
        """Place slices around the origin of space, as columns, rows and slices of a file.

        Parameters
        ----------
        hu : ndarray, shape (slices, rows, columns)
            From the feet up, rows from front to back, columns from the patient's right to left.
        """
        steps = np.array([-pixel_mm, -pixel_mm, slice_mm])
        affine = np.diag([*steps, 1.0])
        affine[:3, 3] = -steps * (np.array(hu.shape[::-1]) - 1) / 2
        return cls(np.ascontiguousarray(hu, np.float32), affine)

    @property
    def layout(self) -> AxialLayout:
        """Where slices, rows and columns are found among the file's axes."""
        return axial_layout(self.affine)

    @property
    def slice_axis(self) -> int:
        """The file axis along which the slices follow each other."""
        return self.layout.axes[0]

    @property
    def pixel_mm(self) -> float:
        """Edge of a pixel in mm."""
        return float(np.mean(spacing_mm(self.affine, self.layout)[1:]))

    def with_hu(self, hu: np.ndarray) -> "CtImage":
        """Return other values of the same shape at the same place."""
        if hu.shape != self.hu.shape:
            raise ValueError(f"values of shape {hu.shape} for an image of shape {self.hu.shape}")
        return replace(self, hu=hu.astype(np.float32))

    def volume(self) -> Volume:
        """Return the image in the axes of its file."""
        return Volume(self.layout.to_file(self.hu), self.affine)


def read_image(path: str | Path, png: PngScale | None = None) -> CtImage:
    """Read a CT image: a DICOM file, a folder with one DICOM series, a NIfTI volume or a PNG slice.

    Padding and values below -1024 HU become air (-1000 HU).

    Parameters
    ----------
    png : PngScale, optional
        What the grey values of a PNG mean.

    Raises
    ------
    InputError
        If the image is damaged, not CT, not in HU, not axial, not square, or its pixels are not square.
    """
    if Path(path).suffix.lower() == ".png":
        image = CtImage.of_slices(*read_png(path, png))
    elif is_nifti(path):
        image = _arrange(read_nifti(path), path)
    else:
        image = _read_dicom(path)
    return replace(image, hu=clean_hu(image.hu, path))


def write_image(image: CtImage, path: str | Path) -> None:
    """Write `image` as float32 NIfTI in the axes of the file that it came from."""
    write_nifti(image.volume(), path)


class StoredSlices(Sequence[np.ndarray]):
    """Slices of an uncompressed NIfTI file that `write_image` wrote, each read when it is asked for.

    Nothing stays open, so that processes can share it.

    Attributes
    ----------
    path : Path
    size_px : int
        Edge of a slice in pixels.
    pixel_mm : float
        Edge of a pixel in mm.

    Raises
    ------
    InputError
        If the file is truncated, compressed, or of another kind.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        file = open_nifti(path)
        scaled = np.isfinite(float(file.header["scl_slope"]))
        if file.get_data_dtype() != np.dtype("<f4") or scaled or self.path.suffix != ".nii":
            kind = "compressed or scaled values, or other than float32"
            raise InputError(path, kind, "a .nii file of this workflow", "Delete it and run again.")
        affine = affine_mm(file)
        self._layout = axial_layout(affine)
        self._shape, self._offset = file.shape, file.dataobj.offset
        self.size_px = self._shape[self._layout.axes[1]]
        self.pixel_mm = float(np.mean(spacing_mm(affine, self._layout)[1:]))

    def __len__(self) -> int:
        return self._shape[self._layout.axes[0]]

    def __getitem__(self, number: int) -> np.ndarray:
        """Return one slice as float32 of shape (rows, columns)."""
        values = np.memmap(self.path, "<f4", "r", self._offset, self._shape, order="F")
        return np.array(self._layout.to_slices(values)[range(len(self))[number]], np.float32, order="C")


def _arrange(volume: Volume, path: str | Path) -> CtImage:
    _check_geometry(volume, path)
    return CtImage.from_volume(volume)


def _read_dicom(path: str | Path) -> CtImage:
    volume = read_dicom(path, modality="CT", padding=AIR_HU)
    if axial_layout(volume.affine).axes[0] != 2:
        raise _refuse(path, "a coronal or sagittal series", "Give the axial series of the scan.")
    return _arrange(volume, path)


def _check_geometry(volume: Volume, path: str | Path) -> None:
    layout = axial_layout(volume.affine)
    tilt = tilt_degrees(volume.affine, layout)
    if tilt > MAX_TILT_DEGREES:
        raise _refuse(path, f"slices that are tilted by {tilt:.1f} degrees", "Give the axial series.")
    _, rows, columns = (volume.values.shape[axis] for axis in layout.axes)
    if rows != columns:
        mend = "Pad it with air (-1000 HU) to a square, or leave it out."
        raise _refuse(path, f"slices of {rows} rows and {columns} columns", mend)
    _, row_mm, column_mm = spacing_mm(volume.affine, layout)
    if abs(row_mm - column_mm) > MAX_SPACING_DIFFERENCE * max(row_mm, column_mm):
        found = f"pixels of {row_mm:.4g} × {column_mm:.4g} mm"
        raise _refuse(path, found, "Resample it to square pixels, or leave it out.")


def _refuse(path: str | Path, found: str, mend: str) -> InputError:
    return InputError(path, found, "square axial slices with square pixels", mend)
