"""Tables of participants as studies publish them: who they are, how old, and of which sex."""

import re
from pathlib import Path

import pandas as pd

from medscale.errors import InputError

# Names of columns as they are published, in small letters; the first that is there is taken.
SUBJECT_COLUMNS = ("subject", "participant_id", "mrid", "id")
SCORE_COLUMNS = {"age": ("age",), "sex": ("sex", "gender")}
NOT_KNOWN = ("", "n/a", "na", "nan", "none", "unknown")
SEX_NAMES = {"f": "F", "female": "F", "m": "M", "male": "M"}
NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")


def read_participants(path: str | Path) -> pd.DataFrame:
    """Read a CSV, or a TSV as BIDS has it; all cells are text without spaces around it.

    Raises
    ------
    InputError
        If it cannot be read or is empty.
    """
    separator = "\t" if Path(path).suffix.lower() == ".tsv" else ","
    try:
        table = pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        found, expected = f"no readable table ({error})", "a CSV or TSV of participants"
        raise InputError(path, found, expected, "Correct the path.") from error
    if table.empty:
        raise InputError(path, "no lines", "one for each participant", "Fill the table.")
    return table.apply(lambda column: column.str.strip())


def name_subjects(table: pd.DataFrame, path: str | Path) -> list[str]:
    """Return the names of the subjects; what is no letter, digit, _ or - becomes _.

    Raises
    ------
    InputError
        If no column holds them, one is empty, or two are the same.
    """
    column = _find(table, SUBJECT_COLUMNS)
    if column is None:
        expected = f"a column {' or '.join(SUBJECT_COLUMNS)}"
        raise InputError(
            path, f"the columns {', '.join(table)}", expected, "Name the column of the subjects so."
        )
    names = [NOT_IN_NAMES.sub("_", name).strip("_-") for name in table[column]]
    for number, name in enumerate(names):
        if not name or name in names[:number]:
            found = f"the subject {table[column].iloc[number]!r}" + (" a second time" if name else "")
            mend = "Keep one line, or one visit, of each subject."
            raise InputError(f"{path}, line {number + 2}", found, "another name in each line", mend)
    return names


def find_score(table: pd.DataFrame, score: str) -> str | None:
    """Return the name of the column with the age or the sex; None where there is none."""
    return _find(table, SCORE_COLUMNS[score])


def read_scores(cells: pd.Series, score: str, where: str) -> list[str]:
    """Return ages in years, or F and M, as text; empty where unknown.

    Raises
    ------
    InputError
        For a cell that is neither.
    """
    return [(_read_age if score == "age" else _read_sex)(text, where) for text in cells]


def is_known(text: str) -> bool:
    """Return whether a cell holds more than n/a and the like."""
    return text.lower() not in NOT_KNOWN


def _read_age(text: str, where: str) -> str:
    if not is_known(text):
        return ""
    try:
        years = float(text)
    except ValueError:
        years = float("nan")
    if not 0 <= years < 150:
        raise InputError(where, repr(text), "years from 0 to 150, or an empty cell", "Correct the cell.")
    return f"{years:.8f}".rstrip("0").rstrip(".")


def _read_sex(text: str, where: str) -> str:
    if not is_known(text):
        return ""
    if text.lower() not in SEX_NAMES:
        mend = "Write F or M in place of codes, as the study that published them defines them."
        raise InputError(where, repr(text), "F or M, or an empty cell", mend)
    return SEX_NAMES[text.lower()]


def _find(table: pd.DataFrame, names: tuple[str, ...]) -> str | None:
    small = {str(column).lower(): column for column in table}
    return next((small[name] for name in names if name in small), None)
