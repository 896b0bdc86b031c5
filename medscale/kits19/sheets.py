"""The case sheet: one row a patient, checked as a whole before any work starts."""

from pathlib import Path

import pandas as pd

from medscale.errors import InputError
from medscale.files.sheets import check_columns, check_rows, check_splits, check_unique, read_text_table

COLUMNS = ["case", "imaging", "segmentation", "split"]
FILE_COLUMNS = ["imaging", "segmentation"]
# Validation cases are watched and choose no weights: there may be none.
NEEDED_SPLITS = ("train", "test")


def read_case_sheet(path: str | Path, schema_path: str | Path) -> pd.DataFrame:
    """Read and check a case sheet.

    Returns
    -------
    DataFrame
        All columns are text; the index is the case's name. `segmentation` is empty where there is none.

    Raises
    ------
    InputError
        For unknown or missing columns, a value that the schema refuses, a case or file named twice, a case
        for training or validation without labels, or no case for training or test.
    """
    sheet = read_text_table(path, "See `python -m medscale kits19_sheet`.")
    check_columns(sheet, COLUMNS, path)
    check_rows(sheet, schema_path, path)
    for column in ("case", "imaging"):
        check_unique(sheet, column, path)
    check_unique(sheet[sheet["segmentation"] != ""], "segmentation", path)
    _check_labelled(sheet, path)
    check_splits(sheet, "case", path, NEEDED_SPLITS)
    return sheet.set_index("case", drop=False)


def check_cases_exist(sheet: pd.DataFrame, path: str | Path, made_by_rules: str) -> None:
    """Raise an `InputError` for the first file of a case that is not there.

    Parameters
    ----------
    made_by_rules : str
        Prefix of paths that rules make, which need not exist yet.
    """
    for case, *names in sheet[["case", *FILE_COLUMNS]].itertuples(index=False):
        for name in filter(None, names):
            if not name.startswith(made_by_rules) and not Path(name).is_file():
                raise InputError(
                    f"{path}, case {case}",
                    f"no file {name}",
                    "a NIfTI file, relative to the folder of the run or absolute",
                    "Correct the path, or run in the folder that the paths start from (--directory).",
                )


def choose_shown_case(sheet: pd.DataFrame, name: str | None, path: str | Path) -> str:
    """Return the case that pictures show: the one called `name`, or without a name the first.

    Raises
    ------
    InputError
        If it is no labelled test case: only these are predicted and have a truth to compare with.
    """
    shown = sheet.index[(sheet["split"] == "test") & (sheet["segmentation"] != "")]
    if not len(shown):
        expected = "one at least, or nothing can be scored"
        raise InputError(path, "no test case with a segmentation", expected, "Name its segmentation.")
    if name is not None and name not in shown:
        expected = f"a labelled test case in {path}, or null for the first"
        raise InputError("kits19.figures.case", repr(name), expected, "Correct the name.")
    return name or shown[0]


def _check_labelled(sheet: pd.DataFrame, path: str | Path) -> None:
    lacking = sheet[(sheet["segmentation"] == "") & (sheet["split"] != "test")]
    if len(lacking):
        raise InputError(
            f"{path}, line {lacking.index[0] + 2}",
            f"case {lacking['case'].iloc[0]} in {lacking['split'].iloc[0]} without a segmentation",
            "labels of every case that a network learns from or is chosen by",
            "Name its segmentation, or move it to test, where it is predicted but not scored.",
        )
