"""DICOM slices and series as volumes."""

from pathlib import Path

import numpy as np

from medscale.files.dicom_geometry import place_slice, stack_slices
from medscale.files.dicom_headers import find_files, read_dataset, refuse
from medscale.files.dicom_pixels import check_kind, read_pixels
from medscale.files.volumes import MAX_VOXELS, Volume


def read_dicom(path: str | Path, modality: str | None = None, padding: float | None = None) -> Volume:
    """Read one DICOM file, or a folder that holds one series, as a volume of (columns, rows, slices).

    All headers are checked before the first pixel is decoded.

    Parameters
    ----------
    path : str or Path
    modality : str, optional
        The modality that is expected, such as CT.
    padding : float, optional
        Value for pixels outside the scanned field (PixelPaddingValue).

    Returns
    -------
    Volume
        Values are float32, in the unit that slope and intercept lead to; slices are sorted along their
        normal.

    Raises
    ------
    InputError
        If a file is damaged, of another modality, a localizer, or of several frames; if CT lacks its slope
        or intercept; or if the files are not the evenly spaced slices of one series.
    """
    places = []
    for file in find_files(path):
        dataset = read_dataset(file)
        check_kind(dataset, file, modality)
        places.append(place_slice(dataset, file))
    places, affine = stack_slices(places, path)
    rows, columns = places[0].shape
    if rows * columns * len(places) > MAX_VOXELS:
        raise refuse(path, f"{columns} × {rows} × {len(places)} voxels, more than {MAX_VOXELS}")
    values = np.empty((columns, rows, len(places)), np.float32, order="F")
    for number, place in enumerate(places):
        values[:, :, number] = read_pixels(place.path, modality, padding).T
    return Volume(values, affine)
