"""The CT sheet: one row an image, checked as a whole before any work starts."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from medscale.errors import InputError
from medscale.files.sheets import (
    check_columns,
    check_patients,
    check_rows,
    check_splits,
    check_unique,
    read_text_table,
)
from medscale.sparse_ct.png_slices import PngScale

SCALE_COLUMNS = ["hu_low", "hu_high", "pixel_mm"]
COLUMNS = ["image", "patient", "path", "split", *SCALE_COLUMNS]


def read_ct_sheet(path: str | Path, schema_path: str | Path) -> pd.DataFrame:
    """Read and check a CT sheet.

    Returns
    -------
    DataFrame
        All columns are text; the index is the image's name.

    Raises
    ------
    InputError
        For unknown or missing columns, a value that the schema refuses, an image or file named twice, a
        patient in two splits, a split without patients, or a scale that a PNG lacks or another file has.
    """
    sheet = read_text_table(path, "See `python -m medscale ct_sheet`.")
    check_columns(sheet, COLUMNS, path)
    check_rows(sheet, schema_path, path)
    check_unique(sheet, "image", path)
    check_unique(sheet, "path", path)
    check_patients(sheet, path)
    check_splits(sheet, "patient", path)
    for number, row in enumerate(sheet.to_dict("records"), start=2):
        _check_scale(row, f"{path}, line {number}")
    return sheet.set_index("image", drop=False)


def png_scale(row: Mapping[str, str]) -> PngScale | None:
    """Return what the grey values of a sheet's row mean, or None for other files than PNG."""
    numbers = [float(row[column]) for column in SCALE_COLUMNS if row[column]]
    return PngScale(*numbers) if numbers else None


def choose_shown(sheet: pd.DataFrame, name: str | None, path: str | Path) -> str:
    """Return the image that pictures show: the one called `name`, or without a name the first test image."""
    if name is None:
        return sheet.index[sheet["split"] == "test"][0]
    if name not in sheet.index:
        raise InputError(
            "sparse_ct.figures.image",
            repr(name),
            f"the name of an image in {path}, or null for the first test image",
            "Correct the name.",
        )
    return name


def check_images_exist(sheet: pd.DataFrame, path: str | Path, made_by_rules: str) -> None:
    """Raise an `InputError` for the first image that is not there.

    Parameters
    ----------
    made_by_rules : str
        Prefix of paths that rules make, which need not exist yet.
    """
    for image, name in sheet["path"].items():
        if not name.startswith(made_by_rules) and not Path(name).exists():
            raise InputError(
                f"{path}, image {image}",
                f"no file or folder {name}",
                "a file, or a folder with one DICOM series, relative to the folder of the run",
                "Correct the path, or run in the folder that the paths start from (--directory).",
            )


def _check_scale(row: Mapping[str, str], where: str) -> None:
    filled = [column for column in SCALE_COLUMNS if row[column]]
    is_png = Path(row["path"]).suffix.lower() == ".png"
    if filled != (SCALE_COLUMNS if is_png else []):
        raise InputError(
            where,
            f"{row['path']} with {', '.join(filled) or 'no scale'}",
            f"{', '.join(SCALE_COLUMNS)} for a PNG, and none of them for other files, which hold their own",
            "Fill them in or empty them.",
        )
    png_scale(row)
