"""The subject sheet of volumes with demographics: one row a subject, checked before any work starts."""

import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from medscale.errors import InputError
from medscale.files.sheets import check_columns, check_rows, check_splits, check_unique, read_text_table

log = logging.getLogger(__name__)

CHANNELS = ("t1", "t2", "flair")
SCORES = ("age", "sex")
SEXES = ("F", "M")
COLUMNS = ["subject", *CHANNELS, *SCORES, "class", "split"]
# Validation subjects are watched and choose no weights: there may be none.
NEEDED_SPLITS = ("train", "test")
SKIP, REFUSE, MEAN = "skip", "refuse", "mean"


def read_subject_sheet(
    path: str | Path, schema_path: str | Path, channels: Sequence[str], scores: Sequence[str]
) -> pd.DataFrame:
    """Read and check a subject sheet.

    Parameters
    ----------
    channels : sequence of str
        Those of `CHANNELS` that a network is to see.
    scores : sequence of str
        Those of `SCORES` that it is told; may be empty.

    Returns
    -------
    DataFrame
        All columns are text; the index is the subject. Cells of images and scores may be empty;
        `usable_subjects` says what becomes of these subjects.

    Raises
    ------
    InputError
        For unknown or missing columns, a value that the schema refuses, a subject or file named twice, less
        than two classes, a class that is not in train, nobody in test, or channels and scores that are none.
    """
    _check_chosen("channels", channels, CHANNELS)
    _check_chosen("scores", scores, SCORES, least=0)
    sheet = read_text_table(path, "See `python -m medscale subject_sheet`.")
    check_columns(sheet, COLUMNS, path)
    check_rows(sheet, schema_path, path)
    check_unique(sheet, "subject", path)
    for channel in CHANNELS:
        check_unique(sheet[sheet[channel] != ""], channel, path)
    _check_classes(sheet, path)
    return sheet.set_index("subject", drop=False)


def usable_subjects(
    sheet: pd.DataFrame,
    channels: Sequence[str],
    scores: Sequence[str],
    missing_images: str = SKIP,
    missing_scores: str = MEAN,
    *,
    path: str | Path = "subject sheet",
    made_by_rules: str | None = None,
) -> pd.DataFrame:
    """Return the subjects who have an image for each channel, in the order of the sheet.

    Parameters
    ----------
    sheet : DataFrame
        Of `read_subject_sheet`.
    missing_images : {"skip", "refuse"}
        What becomes of subjects without an image, for whom a cell is empty or there is no such file: they are
        left out with a warning that names them, or the sheet is refused with their names.
    missing_scores : {"mean", "refuse"}
        `mean` keeps subjects without a score (see `ScoreScale`) with a warning that names them; `refuse`
        refuses the sheet with their names.
    path : str or Path
        The sheet, for messages.
    made_by_rules : str, optional
        Prefix of paths that rules make, which need not exist yet.

    Raises
    ------
    InputError
        As said above, if a score is known of no subject in train, or if those who are left are of less than
        two classes, of a class that is not in train, or not in test.
    """
    lacking = {
        subject: names
        for subject, row in sheet.iterrows()
        if (names := [channel for channel in channels if not _is_there(row[channel], made_by_rules)])
    }
    if lacking and missing_images == REFUSE:
        expected = f"images of {' and '.join(channels)} of every subject"
        mend = "Correct their paths, take them out of the sheet, or set missing_images to skip."
        raise InputError(path, f"no image: {_name(lacking)}", expected, mend)
    if lacking:
        log.warning("%s: left out for want of an image: %s", path, _name(lacking))
    usable = sheet[~sheet.index.isin(list(lacking))]
    if lacking:
        _check_classes(usable, f"{path}, the subjects with images")
    _treat_missing_scores(usable, scores, missing_scores, path)
    return usable


def choose_subjects(
    path: str | Path,
    schema_path: str | Path,
    channels: Sequence[str],
    scores: Sequence[str],
    missing_images: str,
    missing_scores: str,
    *,
    made_by_rules: str | None = None,
    quiet: bool = False,
) -> pd.DataFrame:
    """Read and check a subject sheet, and return the subjects who can be used.

    Parameters
    ----------
    quiet : bool
        Without the warnings of `usable_subjects`.
    others
        As for `read_subject_sheet` and `usable_subjects`, whose errors these are.
    """
    sheet = read_subject_sheet(path, schema_path, channels, scores)
    log.disabled = quiet
    try:
        return usable_subjects(
            sheet, channels, scores, missing_images, missing_scores, path=path, made_by_rules=made_by_rules
        )
    finally:
        log.disabled = False


def list_subject_classes(sheet: pd.DataFrame) -> list[str]:
    """Return the classes of a sheet in the order of a network's outputs: that of the alphabet."""
    return sorted(set(sheet["class"]))


def _treat_missing_scores(sheet: pd.DataFrame, scores: Sequence[str], missing: str, path: str | Path) -> None:
    train = sheet[sheet["split"] == "train"]
    for score in scores:
        if (train[score] == "").all():
            mend = "Fill the column, or take it out of scores."
            raise InputError(path, f"no {score} of any subject in train", "that of some at least", mend)
    lacking = {
        subject: names
        for subject, row in sheet.iterrows()
        if (names := [score for score in scores if row[score] == ""])
    }
    if lacking and missing == REFUSE:
        mend = "Fill the cells, take these subjects out of the sheet, or set missing_scores to mean."
        expected = f"{' and '.join(scores)} of every subject"
        raise InputError(path, f"no score: {_name(lacking)}", expected, mend)
    if lacking:
        log.warning("%s: scores are missing, and the mean stands for them: %s", path, _name(lacking))


def _is_there(name: str, made_by_rules: str | None) -> bool:
    made = made_by_rules is not None and name.startswith(made_by_rules)
    return bool(name) and (made or Path(name).is_file())


def _name(lacking: dict[str, list[str]]) -> str:
    return ", ".join(f"{subject} ({', '.join(names)})" for subject, names in lacking.items())


def _check_classes(sheet: pd.DataFrame, where: str | Path) -> None:
    present = list_subject_classes(sheet)
    if len(present) < 2:
        found = f"{len(sheet)} subjects of the classes {', '.join(present) or 'none'}"
        raise InputError(where, found, "two classes at least", "Add subjects of another class.")
    check_splits(sheet, "subject", where, NEEDED_SPLITS)
    lacking = sorted(set(present) - set(sheet.loc[sheet["split"] == "train", "class"]))
    if lacking:
        mend = "Move subjects of it to train, or take it out of the sheet."
        raise InputError(where, f"no subject of class {lacking[0]} in train", "all classes there", mend)


def _check_chosen(what: str, chosen: Sequence[str], known: Sequence[str], least: int = 1) -> None:
    if len(chosen) < least or set(chosen) - set(known) or len(set(chosen)) < len(chosen):
        expected = f"some of {', '.join(known)}, each once"
        raise InputError(f"scans.volumes.{what}", f"{list(chosen)}", expected, "Correct the configuration.")
