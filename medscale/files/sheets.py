"""Sample sheets: one line an item, checked as a whole before any work starts."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from medscale.errors import InputError
from medscale.files.divisions import SPLITS
from medscale.files.schemas import check_against_schema


def read_text_table(path: str | Path, mend: str) -> pd.DataFrame:
    """Read a CSV table whose cells are all text.

    Parameters
    ----------
    mend : str
        What to do about a file that is no table, for the message.
    """
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(path, f"no readable table ({error})", "a CSV sheet", mend) from error


def check_columns(sheet: pd.DataFrame, columns: list[str], path: str | Path) -> None:
    """Raise an `InputError` unless the sheet has these columns, no others, and at least one line."""
    unknown, missing = set(sheet.columns) - set(columns), set(columns) - set(sheet.columns)
    if unknown or missing or sheet.empty:
        found = f"unknown columns {sorted(unknown)}, missing columns {sorted(missing)}, {len(sheet)} lines"
        raise InputError(path, found, f"the columns {', '.join(columns)}", "Correct the first line.")


def check_rows(sheet: pd.DataFrame, schema_path: str | Path, path: str | Path) -> None:
    """Check every line against a schema; errors name the line."""
    for number, row in enumerate(sheet.to_dict("records"), start=2):
        check_against_schema(row, schema_path, f"{path}, line {number}")


def check_unique(sheet: pd.DataFrame, column: str, path: str | Path) -> None:
    """Raise an `InputError` for the first value that a column holds a second time."""
    repeated = sheet[sheet[column].duplicated()]
    if len(repeated):
        raise InputError(
            f"{path}, line {repeated.index[0] + 2}",
            f"{column} {repeated[column].iloc[0]} a second time",
            f"each {sheet.columns[0]} once",
            "Remove one of the two lines.",
        )


def check_patients(sheet: pd.DataFrame, path: str | Path) -> None:
    """Raise an `InputError` for the first patient who is in two splits."""
    splits = sheet.groupby("patient")["split"].agg(lambda values: sorted(set(values)))
    for patient, found in splits[splits.map(len) > 1].items():
        raise InputError(
            f"{path}, patient {patient}",
            f"{sheet.columns[0]}s in {' and '.join(found)}",
            f"all {sheet.columns[0]}s of a patient in one split, or results would flatter",
            "Give all of them the same split.",
        )


def check_splits(sheet: pd.DataFrame, column: str, path: str | Path, needed: Sequence[str] = SPLITS) -> None:
    """Raise an `InputError` unless somebody, named in `column`, is in each of the splits that are needed."""
    missing = [split for split in needed if split not in set(sheet["split"])]
    if missing:
        raise InputError(
            path,
            f"{sheet[column].nunique()} {column}s, none of them in {' or '.join(missing)}",
            f"at least one {column} in each of {', '.join(needed)}",
            f"Add {sheet.columns[0]}s, or move a {column}.",
        )
