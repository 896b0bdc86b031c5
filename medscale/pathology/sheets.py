"""The slide sheet: one row a slide, checked as a whole before any work starts."""

from pathlib import Path

import pandas as pd

from medscale.errors import InputError
from medscale.files.schemas import check_against_schema

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
    sheet = _read_text(path)
    _check_columns(sheet, path)
    for number, row in enumerate(sheet.to_dict("records"), start=2):
        check_against_schema(row, schema_path, f"{path}, line {number}")
    _check_unique(sheet, "slide", path)
    _check_unique(sheet, "path", path)
    _check_splits(sheet, path)
    return sheet.set_index("slide", drop=False)


def read_sheet_table(path: str | Path) -> pd.DataFrame:
    """Read a slide sheet that was checked before; all columns are text."""
    return _read_text(path)


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


def _read_text(path: str | Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(
            path, f"no readable table ({error})", "a CSV slide sheet", "See `python -m medscale camelyon17`."
        ) from error


def _check_columns(sheet: pd.DataFrame, path: str | Path) -> None:
    unknown, missing = set(sheet.columns) - set(COLUMNS), set(COLUMNS) - set(sheet.columns)
    if unknown or missing or sheet.empty:
        found = f"unknown columns {sorted(unknown)}, missing columns {sorted(missing)}, {len(sheet)} slides"
        raise InputError(path, found, f"the columns {', '.join(COLUMNS)}", "Correct the first line.")


def _check_unique(sheet: pd.DataFrame, column: str, path: str | Path) -> None:
    repeated = sheet[sheet[column].duplicated()]
    if len(repeated):
        raise InputError(
            f"{path}, line {repeated.index[0] + 2}",
            f"{column} {repeated[column].iloc[0]} a second time",
            "each slide once",
            "Remove one of the two lines.",
        )


def _check_splits(sheet: pd.DataFrame, path: str | Path) -> None:
    splits = sheet.groupby("patient")["split"].agg(lambda values: sorted(set(values)))
    for patient, found in splits[splits.map(len) > 1].items():
        raise InputError(
            f"{path}, patient {patient}",
            f"slides in {' and '.join(found)}",
            "all slides of a patient in one split, or results would flatter",
            "Give all of them the same split.",
        )
