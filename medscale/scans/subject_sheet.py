"""A subject sheet from a table of participants and the names of their image files."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from medscale.errors import InputError
from medscale.files.divisions import divide_patients
from medscale.scans.participants import find_score, is_known, name_subjects, read_participants, read_scores
from medscale.scans.subjects import CHANNELS, COLUMNS, NEEDED_SPLITS, SCORES

log = logging.getLogger(__name__)

CLASS = re.compile(r"[A-Za-z][A-Za-z_]*")
ABOVE, NOT_ABOVE = "above", "not_above"


@dataclass(frozen=True)
class ClassRule:
    """What tells the classes apart.

    Attributes
    ----------
    column : str
        Of the table of participants.
    above : float or None
        The classes are `above` and `not_above` this number; None where the column names the classes.
    """

    column: str
    above: float | None = None


def make_subject_sheet(
    participants: str | Path,
    images: Mapping[str, str],
    rule: ClassRule,
    *,
    test_share: float = 0.2,
    validation_share: float = 0.1,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the sheet of the subjects in a table of participants.

    Who has no class is left out with a warning. Who lacks an image stays, in train: `usable_subjects` skips
    or refuses them, as the configuration says. The others are divided class by class. A score that the
    classes are made from is left empty: a network that is told it would have nothing to find out.

    Parameters
    ----------
    participants : str or Path
        CSV, or TSV as BIDS has it, with columns for the name, the age in years and the sex; age and sex may
        be missing.
    images : mapping of str to str
        For each of t1, t2 and flair that there is, the files' path, with names of columns in braces in place
        of what differs: `t1/{MRID}_T1.nii.gz`. Paths in the sheet are absolute.
    rule : ClassRule
    test_share, validation_share : float
        Shares of each class. Without a share, there may be no validation subject.
    seed : int
        Draws them.

    Raises
    ------
    InputError
        If the table or a column is missing, a cell cannot be understood, two subjects have one name, or
        subjects with all images are too few for train and test.
    """
    table = read_participants(participants)
    sheet = pd.DataFrame("", index=table.index, columns=COLUMNS)
    sheet["subject"] = name_subjects(table, participants)
    for channel, pattern in images.items():
        sheet[channel] = _fill_pattern(table, channel, pattern)
    for score in SCORES:
        column = find_score(table, score)
        if column == rule.column:
            log.warning("%s stays empty: the classes are made from it", score)
        elif column is not None:
            sheet[score] = read_scores(table[column], score, f"{participants}, {column}")
    sheet["class"] = _class_subjects(table, rule, participants)
    sheet = _keep_classed(sheet, participants)
    shares = {"test_share": test_share, "validation_share": validation_share}
    return sheet.assign(split=_divide(sheet, list(images), seed, **shares))


def _fill_pattern(table: pd.DataFrame, channel: str, pattern: str) -> list[str]:
    where = f"--image {channel}={pattern}"
    if channel not in CHANNELS:
        raise InputError(where, repr(channel), f"one of {', '.join(CHANNELS)}", "Correct the option.")
    used = re.findall(r"\{([^{}]*)\}", pattern)
    if not used or set(used) - set(table):
        found = f"the columns {', '.join(used) or 'none'} in braces"
        raise InputError(where, found, f"one or more of {', '.join(table)}", "Correct the option.")
    return [
        str(Path(re.sub(r"\{([^{}]*)\}", lambda part, row=row: row[part[1]], pattern)).absolute())
        for _, row in table.iterrows()
    ]


def _class_subjects(table: pd.DataFrame, rule: ClassRule, path: str | Path) -> list[str]:
    if rule.column not in table:
        found = f"no column {rule.column}"
        raise InputError(path, found, f"one of {', '.join(table)}", "Correct the option.")
    cells = [text if is_known(text) else "" for text in table[rule.column]]
    if rule.above is None:
        for text in filter(None, cells):
            if not CLASS.fullmatch(text):
                mend = "Name the classes so in the table; of numbers, --class-above COLUMN=NUMBER makes two."
                raise InputError(f"{path}, {rule.column}", repr(text), "a class of letters and _", mend)
        return cells
    try:
        return [text and (ABOVE if float(text) > rule.above else NOT_ABOVE) for text in cells]
    except ValueError as error:
        raise InputError(f"{path}, {rule.column}", str(error), "numbers", "Use --class instead.") from error


def _keep_classed(sheet: pd.DataFrame, path: str | Path) -> pd.DataFrame:
    without = sheet.loc[sheet["class"] == "", "subject"]
    if len(without):
        log.warning("left out for want of a class: %s", ", ".join(without))
    kept = sheet[sheet["class"] != ""].reset_index(drop=True)
    if kept["class"].nunique() < 2:
        found = f"the classes {', '.join(kept['class'].unique()) or 'none'}"
        raise InputError(path, found, "two at least", "Choose another column, or another number.")
    return kept


def _divide(
    sheet: pd.DataFrame, channels: list[str], seed: int, *, test_share: float, validation_share: float
) -> list[str]:
    complete = sheet[channels].map(lambda name: Path(name).is_file()).all(axis=1)
    for _, row in sheet[~complete].iterrows():
        lacking = ", ".join(row[channel] for channel in channels if not Path(row[channel]).is_file())
        log.warning("%s has no image: no file %s", row["subject"], lacking)
    split = dict.fromkeys(sheet.loc[~complete, "subject"], "train")
    for label, own in sheet[complete].groupby("class"):
        shares = (test_share, validation_share)
        names = own["subject"].tolist()
        split |= divide_patients(names, {}, *shares, seed, f"volumes {label}", NEEDED_SPLITS)
    if set(sheet["class"]) - set(sheet.loc[complete, "class"]):
        lacking = sorted(set(sheet["class"]) - set(sheet.loc[complete, "class"]))
        found, expected = f"nobody of class {lacking[0]} with all images", "some, for train and test"
        raise InputError("the images", found, expected, "Correct the patterns of --image.")
    return [split[subject] for subject in sheet["subject"]]
