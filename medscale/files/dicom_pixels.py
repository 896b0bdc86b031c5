"""The pixels of one DICOM slice, in the unit that its header gives them."""

import logging
from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset
from pydicom.pixels import pixel_array
from pydicom.uid import UID, RLELossless

from medscale.files.dicom_headers import read_dataset, read_numbers, read_text, read_value, refuse

log = logging.getLogger(__name__)

# What CT may hold instead of Hounsfield units (DICOM PS3.3, Rescale Type).
OTHER_UNITS = ("OD", "MGML", "Z_EFF", "ED", "EDW", "PCT")
FROM_SCANNER = "Give the slice as it came from the scanner, or leave it out."


def check_kind(dataset: FileDataset, path: str | Path, modality: str | None) -> None:
    """Raise an `InputError` unless the file is one grey slice of the modality, with its rescale for CT.

    A file that states no modality is taken with a warning.
    """
    # What a file was cut off behind is missing like what it never had, so that this comes first.
    if "PixelData" not in dataset:
        raise refuse(path, "no pixel data: the file is truncated or holds no image")
    stated = read_text(dataset, "Modality", path)
    if modality and stated not in ("", modality):
        raise refuse(path, f"the modality {stated}", f"Give files of the modality {modality}.")
    if modality and not stated:
        log.warning("%s states no modality: taken for %s", path, modality)
    if "LOCALIZER" in (read_value(dataset, "ImageType", path) or []):
        raise refuse(path, "a localizer (scout view)", "Leave it out.")
    if read_text(dataset, "NumberOfFrames", path) not in ("", "1"):
        raise refuse(path, "several frames in one file", "Convert it to NIfTI or to one file a slice.")
    if read_text(dataset, "PhotometricInterpretation", path) != "MONOCHROME2":
        found = f"pixels of the kind {read_text(dataset, 'PhotometricInterpretation', path) or 'unknown'}"
        raise refuse(path, found, FROM_SCANNER)
    _rescale(dataset, path, modality)


def read_pixels(path: str | Path, modality: str | None = None, padding: float | None = None) -> np.ndarray:
    """Read the pixels of a slice of a checked kind: slope and intercept applied, padding replaced.

    Parameters
    ----------
    modality : str, optional
        The modality that is expected; CT needs a slope and an intercept, others may lack them.
    padding : float, optional
        Value for pixels that the header calls padding, which are left as they are without it.

    Returns
    -------
    ndarray of float32, shape (rows, columns)

    Raises
    ------
    InputError
        If the file is damaged or truncated, lacks a slope that it needs, or cannot be decoded.
    """
    dataset = read_dataset(path)
    slope, intercept = _rescale(dataset, path, modality)
    stored = _decode(dataset, path)
    values = (stored * slope + intercept).astype(np.float32)
    if padding is not None:
        values[_find_padding(dataset, stored, path)] = padding
    return values


def _rescale(header: FileDataset, path: str | Path, modality: str | None) -> tuple[float, float]:
    slope, intercept = (read_numbers(header, f"Rescale{name}", 1, path) for name in ("Slope", "Intercept"))
    if modality == "CT":
        unit = read_text(header, "RescaleType", path)
        if slope is None or intercept is None:
            raise refuse(path, "no RescaleSlope or RescaleIntercept: its values are not HU", FROM_SCANNER)
        if unit in OTHER_UNITS:
            raise refuse(path, f"the unit {unit} instead of HU", FROM_SCANNER)
    if slope is not None and slope[0] == 0:
        raise refuse(path, "a RescaleSlope of 0", FROM_SCANNER)
    return 1.0 if slope is None else slope[0], 0.0 if intercept is None else intercept[0]


def _decode(dataset: FileDataset, path: str | Path) -> np.ndarray:
    """Return the stored values as (rows, columns)."""
    try:
        syntax = UID(dataset.file_meta.TransferSyntaxUID)
        # Decoders differ in lossy formats, so that the choice must not depend on what else is installed.
        plugin = "gdcm" if syntax.is_compressed and syntax != RLELossless else ""
        stored = pixel_array(dataset, decoding_plugin=plugin)
    except Exception as error:
        # Decoders raise almost anything for damaged pixels.
        raise refuse(path, f"pixels that cannot be decoded ({error})") from error
    if stored.ndim != 2:
        raise refuse(path, f"pixels of shape {stored.shape} instead of one grey image")
    return stored


def _find_padding(dataset: FileDataset, stored: np.ndarray, path: str | Path) -> np.ndarray:
    """Return which pixels are padding: a value, or the range from it to PixelPaddingRangeLimit."""
    first = read_numbers(dataset, "PixelPaddingValue", 1, path)
    if first is None:
        return np.zeros(stored.shape, bool)
    last = read_numbers(dataset, "PixelPaddingRangeLimit", 1, path)
    # Signed pixels may have unsigned padding: 63536 stands for -2000.
    ends = np.array([first, first if last is None else last], np.int64).astype(stored.dtype)
    padded = (stored >= ends.min()) & (stored <= ends.max())
    others = stored[~padded]
    if padded.any() and len(others) and others.min() < ends.min() <= ends.max() < others.max():
        log.warning(
            "%s: %d pixels have its padding value %s, which lies between the other values: taken for padding",
            path,
            padded.sum(),
            ends.min(),
        )
    return padded
