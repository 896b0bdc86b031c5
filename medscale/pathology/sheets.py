"""The slide sheet: one row a slide, checked as a whole before any work starts."""

from pathlib import Path

import pandas as pd

from medscale.errors import InputError
from medscale.files.sheets import check_columns, check_patients, check_rows, check_unique, read_text_table

COLUMNS = ["slide", "patient", "centre", "path", "annotation", "label", "split"]
SPLITS = ("train_network", "train_staging", "test")


def read_slide_sheet(path: str | Path, schema_path: str | Path) -> pd.DataFrame:
    """Read and check a slide sheet.

    Returns
    -------
    DataFrame
        All columns are text; the index is the slide's name.

    Raises
    ------
    InputError
        For unknown or missing columns, a value that the schema refuses, a slide or file named twice,
        or a patient in two splits.
    """
    sheet = read_sheet_table(path)
    check_columns(sheet, COLUMNS, path)
    check_rows(sheet, schema_path, path)
    check_unique(sheet, "slide", path)
    check_unique(sheet, "path", path)
    check_patients(sheet, path)
    return sheet.set_index("slide", drop=False)


def read_sheet_table(path: str | Path) -> pd.DataFrame:
    """Read a slide sheet that was checked before; all columns are text."""
    return read_text_table(path, "See `python -m medscale camelyon17`.")


def check_files_exist(sheet: pd.DataFrame, path: str | Path, made_by_rules: str) -> None:
    """Raise an `InputError` for the first slide or annotation that is not there.

    Parameters
    ----------
    made_by_rules : str
        Prefix of paths that rules make, which need not exist yet.
    """
    named = pd.concat([sheet["path"], sheet["annotation"]])
    for name in named[named != ""]:
        if not name.startswith(made_by_rules) and not Path(name).is_file():
            raise InputError(
                f"{path}, slide {named.index[named == name][0]}",
                f"no file {name}",
                "a file, relative to the folder of the run",
                "Correct the path, or run in the folder that the paths start from (--directory).",
            )
