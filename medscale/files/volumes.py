"""Volumes on a physical grid, as NIfTI files."""

import gzip
import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError, ImageDataError

from medscale.errors import InputError
from medscale.files.atomic import atomic_path

SUFFIXES = (".nii", ".nii.gz")
MAX_VOXELS = 2**31
GZIP_LEVEL = 4
CHUNK_BYTES = 2**20
SCANNER_CODE = 1
# By the code of the header's unit: unknown, m, mm, µm. Higher bits hold the unit of time.
MM_PER_UNIT = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
UNIT_CODES = 8
READ_ERRORS = (ImageFileError, HeaderDataError, ImageDataError, OSError, EOFError, zlib.error, ValueError)
FETCH_AGAIN = "Fetch the volume again, or leave it out."


@dataclass(frozen=True)
class Volume:
    """Values on a grid in space.

    Attributes
    ----------
    values : ndarray, shape (i, j, k)
        In the axis order of the file.
    affine : ndarray of float64, shape (4, 4)
        Turns (i, j, k, 1) into mm to the patient's right, front and head (RAS+).
    """

    values: np.ndarray
    affine: np.ndarray


def is_nifti(path: str | Path) -> bool:
    """Return whether the name of `path` is that of a NIfTI file."""
    return Path(path).name.lower().endswith(SUFFIXES)


def read_nifti(path: str | Path) -> Volume:
    """Read a NIfTI volume; values are float32, with the scale factors of the header applied.

    A fourth axis of length 1 is dropped.

    Raises
    ------
    InputError
        If the file is missing, no NIfTI, truncated, implausibly large, in colour, complex, has not three
        axes, or does not say how it lies in space.
    """
    image = open_nifti(path)
    try:
        values = image.get_fdata(dtype=np.float32, caching="unchanged")
    except READ_ERRORS as error:
        raise _refuse(path, f"a damaged or truncated NIfTI file ({error})") from error
    return Volume(values.reshape(image.shape[:3]), affine_mm(image))


def open_nifti(path: str | Path) -> nibabel.Nifti1Image:
    """Open a NIfTI file and check its header and that it is whole; values are read when they are asked for.

    Raises
    ------
    InputError
        As `read_nifti`, apart from damage that only its values show.
    """
    image = open_header(path)
    _check_size(image, path)
    return image


def open_header(path: str | Path) -> nibabel.Nifti1Image:
    """Open a NIfTI file and check its header alone, which costs little however large the file is.

    Raises
    ------
    InputError
        As `read_nifti`, apart from files that are truncated or damaged behind their header.
    """
    if not Path(path).is_file():
        raise _refuse(path, "no such file", "Correct the path.")
    try:
        image = nibabel.load(path, mmap=False)
    except READ_ERRORS as error:
        raise _refuse(path, f"no readable NIfTI header ({error})") from error
    if not isinstance(image, nibabel.Nifti1Image) or not is_nifti(path):
        raise _refuse(path, f"an image of the kind {type(image).__name__}", "Convert it to .nii or .nii.gz.")
    _check_shape(image, path)
    _check_values(image, path)
    _check_place(image, path)
    return image


def affine_mm(image: nibabel.Nifti1Image) -> np.ndarray:
    """Return the affine of an opened NIfTI file in mm, whatever unit its header is in."""
    affine = np.array(image.affine, float)
    affine[:3] *= MM_PER_UNIT[_unit(image)]
    return affine


def write_nifti(volume: Volume, path: str | Path) -> None:
    """Write `volume` as `.nii` or `.nii.gz` in its own data type; its affine as sform and qform, in mm."""
    with atomic_path(path) as temporary, open_for_writing(temporary) as file:
        describe_nifti(volume.values, volume.affine).to_stream(file)


def describe_nifti(values: np.ndarray, affine: np.ndarray) -> nibabel.Nifti1Image:
    """Return an image with the header that all our NIfTI files have; its values are not copied."""
    image = nibabel.Nifti1Image(values, affine, dtype=values.dtype)
    image.set_sform(affine, SCANNER_CODE)
    image.set_qform(affine, SCANNER_CODE)
    image.header.set_xyzt_units("mm")
    return image


@contextmanager
def open_for_writing(path: Path) -> Iterator[BinaryIO]:
    """Open a file whose bytes are packed if its name ends with `.gz`."""
    with open(path, "wb") as file:
        if path.suffix != ".gz":
            yield file
            return
        # Neither name nor time stand in the file, so that the same volume gives the same bytes.
        with gzip.GzipFile("", "wb", GZIP_LEVEL, file, mtime=0) as compressed:
            yield compressed


def _check_shape(image: nibabel.Nifti1Image, path: str | Path) -> None:
    shape = image.shape
    if len(shape) < 3 or any(length != 1 for length in shape[3:]) or min(shape) < 1:
        found = f"{len(shape)} axes of the lengths {' × '.join(map(str, shape))}"
        raise _refuse(path, found, "Write one volume into a file, of a time series each into its own.")
    if math.prod(shape) > MAX_VOXELS:
        raise _refuse(path, f"{' × '.join(map(str, shape))} voxels, more than {MAX_VOXELS}")


def _check_values(image: nibabel.Nifti1Image, path: str | Path) -> None:
    kind = image.get_data_dtype()
    if kind.kind not in "iuf":
        found = "colours (RGB)" if kind.names else f"values of the kind {kind}"
        raise _refuse(path, found, "Give the volume that it was made from.")


def _check_size(image: nibabel.Nifti1Image, path: str | Path) -> None:
    """Refuse, before memory is taken for it, a volume that is not whole."""
    needed = image.dataobj.offset + math.prod(image.shape) * image.get_data_dtype().itemsize
    try:
        present = _unpacked_bytes(path)
    except READ_ERRORS as error:
        raise _refuse(path, f"a damaged or truncated file ({error})") from error
    if needed > present:
        raise _refuse(path, f"a truncated file: {present} bytes cannot hold the {needed} that it promises")


def _unpacked_bytes(path: str | Path) -> int:
    """Return the size of a file without its packing; its checksum is tested, which nibabel ignores."""
    if not str(path).lower().endswith(".gz"):
        return Path(path).stat().st_size
    with gzip.open(path) as file:
        return sum(len(chunk) for chunk in iter(lambda: file.read(CHUNK_BYTES), b""))


def _check_place(image: nibabel.Nifti1Image, path: str | Path) -> None:
    if not (int(image.header["qform_code"]) or int(image.header["sform_code"])):
        mend = "Set its sform from the scan that it was made from (nibabel: `image.set_sform(affine, 1)`)."
        raise _refuse(path, "no place in space: qform_code and sform_code are 0", mend)
    if _unit(image) not in MM_PER_UNIT:
        raise _refuse(
            path, f"an unknown unit of length ({_unit(image)})", "Correct xyzt_units in its header."
        )
    affine = image.affine
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-12:
        raise _refuse(path, "an affine that is not finite or flattens space", "Correct its sform and qform.")


def _unit(image: nibabel.Nifti1Image) -> int:
    return int(image.header["xyzt_units"]) % UNIT_CODES


def _refuse(path: str | Path, found: str, mend: str = FETCH_AGAIN) -> InputError:
    return InputError(path, found, "a whole three-dimensional NIfTI volume (.nii or .nii.gz)", mend)
