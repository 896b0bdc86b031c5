"""DICOM files and what their headers say."""

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.config import disable_value_validation
from pydicom.dataset import FileDataset

from medscale.errors import InputError

MARK, MARK_OFFSET = b"DICM", 128
SUFFIXES = (".dcm", ".dicom", ".ima")
INDEX_FILE = "DICOMDIR"
FETCH_AGAIN = "Fetch it again, or leave it out."


def looks_like_dicom(path: Path) -> bool:
    """Return whether a file has DICOM's mark or suffix; hidden files and indices do not count."""
    if path.name.startswith(".") or path.name == INDEX_FILE or not path.is_file():
        return False
    with open(path, "rb") as file:
        return file.read(MARK_OFFSET + 4)[MARK_OFFSET:] == MARK or path.suffix.lower() in SUFFIXES


def find_files(path: str | Path) -> list[Path]:
    """Return the DICOM files in a folder, by name, or the one file that `path` is."""
    path = Path(path)
    if path.is_file():
        return [path]
    files = sorted(file for file in path.iterdir() if looks_like_dicom(file)) if path.is_dir() else []
    if not files:
        found = "a folder without DICOM files" if path.is_dir() else "no such file or folder"
        raise refuse(path, found, "Correct the path.")
    return files


def read_dataset(path: str | Path, pixels: bool = True) -> FileDataset:
    """Read a DICOM file, with its pixels or without.

    Raises
    ------
    InputError
        If the file is no DICOM or damaged.
    """
    try:
        return pydicom.dcmread(path, stop_before_pixels=not pixels)
    except Exception as error:
        # A damaged file makes pydicom raise almost anything.
        raise refuse(path, f"no readable DICOM file ({error})") from error


def read_value(header: FileDataset, keyword: str, path: str | Path) -> Any:
    """Return the value of `keyword` as pydicom reads it, or None where there is none.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        # Scanners write much that the standard does not allow; what matters here is checked here.
        with disable_value_validation():
            return header.get(keyword)
    except Exception as error:
        raise refuse(path, f"an unreadable {keyword} ({error})") from error


def read_text(header: FileDataset, keyword: str, path: str | Path) -> str:
    """Return the value of `keyword` as text, empty where there is none."""
    value = read_value(header, keyword, path)
    return "" if value is None else str(value).strip()


def read_numbers(header: FileDataset, keyword: str, count: int, path: str | Path) -> np.ndarray | None:
    """Return the `count` numbers of `keyword` as float64, or None where the header lacks them.

    Raises
    ------
    InputError
        If there are more or less numbers, or they are not finite.
    """
    value = read_value(header, keyword, path)
    try:
        numbers = np.array([] if value is None or value == "" else value, float).reshape(-1)
    except (TypeError, ValueError) as error:
        raise refuse(path, f"an unreadable {keyword} ({error})") from error
    if not len(numbers):
        return None
    if len(numbers) != count or not np.isfinite(numbers).all():
        raise refuse(path, f"a {keyword} of {numbers.tolist()} instead of {count} finite numbers")
    return numbers


def refuse(path: str | Path, found: str, mend: str = FETCH_AGAIN) -> InputError:
    """Return the error for a DICOM file or series that cannot be used."""
    return InputError(path, found, "whole DICOM slices of one series", mend)
