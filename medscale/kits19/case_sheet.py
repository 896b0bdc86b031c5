"""A case sheet from a folder in KiTS19's layout."""

import logging
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from medscale.errors import InputError
from medscale.files.divisions import divide_patients
from medscale.files.tables import read_json
from medscale.kits19.cases import check_same_place
from medscale.kits19.sheets import COLUMNS, NEEDED_SPLITS

log = logging.getLogger(__name__)

CASE = re.compile(r"case_(\d{5})")
SUFFIXES = (".nii.gz", ".nii")
CLINICAL_FILE = "kits.json"
SPACINGS = ("z_spacing", "y_spacing", "x_spacing")
# The same for all 210 cases up to the rounding of single precision.
SPACING_TOLERANCE = 1e-3
# Numbers of the cases, as the thesis's code divides them (HypnoOcio/kits19): 180, 20 and 10.
THESIS_SPLIT = {
    "train": (range(120), range(140, 200)),
    "validation": (range(120, 140),),
    "test": (range(200, 210),),
}
FETCH_IMAGING = "Fetch the CT with KiTS19's own script (`python -m starter_code.get_imaging`)."


def make_case_sheet(
    folder: str | Path,
    *,
    thesis_split: bool = False,
    splits: dict[str, str] | None = None,
    test_share: float = 0.2,
    validation_share: float = 0.1,
    seed: int = 0,
) -> pd.DataFrame:
    """List the usable cases of a folder in KiTS19's layout as a case sheet.

    The folder holds `case_00000/imaging.nii.gz`, `case_00000/segmentation.nii.gz` and so on, and `kits.json`
    if it was not lost. Headers are read, voxels are not. A case that cannot be used is left out with a
    warning that says why: its CT is missing, a header is damaged, labels do not lie on their CT, or spacing
    differs from `kits.json`. Paths in the sheet are absolute, so that it serves runs in any folder.

    Parameters
    ----------
    thesis_split : bool
        Divide as the thesis does; cases that it does not know are left out.
    splits : dict of case to split, optional
        Fixes the split of these cases. Without `thesis_split` the other labelled cases are drawn, and those
        without labels are test cases.
    test_share, validation_share : float
        Shares of the labelled cases that are drawn. Without a share, there may be no validation case.
    seed : int
        Draws them.

    Raises
    ------
    InputError
        If no case can be used, or they are too few for training and test.
    """
    folder = Path(folder)
    cases = _keep_usable(_find_cases(folder), read_spacings(folder / CLINICAL_FILE))
    if not cases:
        expected = "folders like case_00000 with imaging.nii.gz"
        raise InputError(folder, "no usable case", expected, f"{FETCH_IMAGING} Warnings say what is missing.")
    fixed = dict(splits or {})
    if thesis_split:
        fixed = _divide_as_thesis(cases) | fixed
        cases = [case for case in cases if case["case"] in fixed]
    _check_labelled(cases, fixed)
    divided = [case["case"] for case in cases if case["segmentation"] or case["case"] in fixed]
    shares = test_share, validation_share
    split = divide_patients(divided, fixed, *shares, seed, "KiTS19 cases", NEEDED_SPLITS)
    if "validation" not in split.values():
        log.warning("no validation case: trainings are not watched")
    rows = [{**case, "split": split.get(case["case"], "test")} for case in cases]
    return pd.DataFrame(rows, columns=COLUMNS)


def read_spacings(path: str | Path) -> dict[str, tuple[float, float, float]]:
    """Return the spacing (slice, row, column) in mm of each case in `kits.json`; empty without that file.

    Raises
    ------
    InputError
        If the file is not KiTS19's.
    """
    if not Path(path).is_file():
        log.warning("no %s: spacing is not checked", path)
        return {}
    try:
        records = read_json(path)
        return {record["case_id"]: _spacing(record) for record in records}
    except (ValueError, TypeError, KeyError) as error:
        mend = "Fetch kits.json again, or remove it: its spacing is only compared."
        raise InputError(
            path, f"no clinical data ({error!r})", "a list of records with case_id and voxel_spacing", mend
        ) from error


def split_of_thesis(case: str) -> str | None:
    """Return in which split the thesis has a case; None for those that it does not have."""
    name = CASE.fullmatch(case)
    for split, numbers in THESIS_SPLIT.items():
        if name and any(int(name[1]) in some for some in numbers):
            return split
    return None


def _spacing(record: dict[str, Any]) -> tuple[float, float, float]:
    return tuple(float(record["voxel_spacing"][axis]) for axis in SPACINGS)


def _find_cases(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("case_*") if path.is_dir() and CASE.fullmatch(path.name))


def _keep_usable(
    folders: Iterable[Path], spacings: dict[str, tuple[float, float, float]]
) -> list[dict[str, str]]:
    kept = []
    for folder in folders:
        try:
            kept.append(_look_at(folder, spacings.get(folder.name)))
        except InputError as error:
            log.warning("left out: %s", error)
    return kept


def _look_at(folder: Path, spacing_mm: tuple[float, float, float] | None) -> dict[str, str]:
    imaging, segmentation = (_find_volume(folder, name) for name in ("imaging", "segmentation"))
    if not imaging:
        found, expected = f"no imaging.nii.gz in {folder}", "the CT beside its labels"
        raise InputError(folder.name, found, expected, FETCH_IMAGING)
    grid = check_same_place(imaging, segmentation)
    _check_spacing(imaging, grid.spacing_mm, spacing_mm)
    return {"case": folder.name, "imaging": imaging, "segmentation": segmentation}


def _find_volume(folder: Path, name: str) -> str:
    paths = (folder / f"{name}{suffix}" for suffix in SUFFIXES)
    return next((str(path.resolve()) for path in paths if path.is_file()), "")


def _check_spacing(path: str, found: Sequence[float], expected: Sequence[float] | None) -> None:
    if expected is None or all(
        abs(one - other) <= SPACING_TOLERANCE * other for one, other in zip(found, expected, strict=True)
    ):
        return
    described = [" × ".join(f"{step:.4g}" for step in steps) for steps in (found, expected)]
    raise InputError(
        path,
        f"a spacing of {described[0]} mm between slices, rows and columns",
        f"{described[1]} mm, as {CLINICAL_FILE} has it",
        "Fetch the case again: its affine was changed, or it is another patient's.",
    )


def _divide_as_thesis(cases: Iterable[dict[str, str]]) -> dict[str, str]:
    """Return the split of each case that the thesis has."""
    splits = {case["case"]: split_of_thesis(case["case"]) for case in cases}
    for name in (name for name, split in splits.items() if not split):
        log.warning("left out: %s is not among the 210 cases of the thesis", name)
    return {name: split for name, split in splits.items() if split}


def _check_labelled(cases: Iterable[dict[str, str]], fixed: dict[str, str]) -> None:
    for case in cases:
        split = fixed.get(case["case"], "test")
        if split != "test" and not case["segmentation"]:
            raise InputError(
                case["case"],
                f"no segmentation.nii.gz, but a place in {split}",
                "labels of every case that a network learns from or is chosen by",
                f"Fetch its segmentation, or fix it as a test case (--split {case['case']}=test).",
            )
