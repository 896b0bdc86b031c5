"""Small CT files for tests: DICOM slices with any header, and NIfTI volumes."""

import nibabel
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

SIZE_PX = 16


def head(size_px=SIZE_PX, seed=0):
    """Return one slice of HU, int16: tissue with noise in air, unlike any of its mirror images."""
    row, column = np.mgrid[:size_px, :size_px] / size_px
    inside = (row - 0.5) ** 2 + (column - 0.4) ** 2 < 0.1
    noise = np.random.default_rng(seed).integers(-20, 20, (size_px, size_px))
    return np.where(inside, 40 + 100 * row + 200 * column + noise, -1000).astype(np.int16)


def write_slice(path, hu=None, *, z_mm=0.0, intercept=-1024, **changes):
    """Write one CT slice; tags of `changes` replace its own, and one that is None is left out.

    Parameters
    ----------
    hu : ndarray, shape (rows, columns)
    z_mm : float
        Height of the slice.
    """
    hu = head() if hu is None else hu
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = CTImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid(entropy_srcs=[str(path)])
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    usual = {
        "Rows": hu.shape[0],
        "Columns": hu.shape[1],
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 1,
        "SamplesPerPixel": 1,
        "PixelData": (hu.astype(np.int64) - intercept).astype("<i2").tobytes(),
        "Modality": "CT",
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "PatientID": "p1",
        "StudyInstanceUID": "1.2.1",
        "SeriesInstanceUID": "1.2.1.1",
        "PhotometricInterpretation": "MONOCHROME2",
        "PixelSpacing": [0.8, 0.8],
        "SliceThickness": 2.5,
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "ImagePositionPatient": [-100.0, -200.0, z_mm],
        "RescaleSlope": 1,
        "RescaleIntercept": intercept,
    }
    for keyword, value in (usual | changes).items():
        if value is not None:
            setattr(data, keyword, value)
    data.save_as(path, enforce_file_format=True)
    return path


def write_series(folder, count=4, step_mm=2.5, **changes):
    """Write a series of slices that differ, named against their order in space."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        path = folder / f"{count - number:03d}.dcm"
        write_slice(path, head(seed=number), z_mm=number * step_mm, **changes)
    return folder


def write_volume(path, values, affine=None):
    """Write a NIfTI file with nibabel alone."""
    affine = np.diag([-0.8, -0.8, 2.5, 1.0]) if affine is None else affine
    nibabel.save(nibabel.Nifti1Image(values, affine), path)
    return path
