"""The scan sheet: one row an image, checked as a whole before any work starts."""

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from medscale.errors import InputError
from medscale.files.sheets import check_columns, check_rows, check_splits, check_unique, read_text_table
from medscale.scans.image_folders import LAYOUTS, Layout

COLUMNS = ["image", "path", "masks", "class", "group", "split", "divided_by"]
MASK_SEPARATOR = ";"
# What was drawn for the splits: whole groups of duplicates, or, to show what that prevents, single images.
BY_GROUP, BY_IMAGE = "group", "image"


def read_scan_sheet(path: str | Path, schema_path: str | Path) -> pd.DataFrame:
    """Read and check a scan sheet.

    Returns
    -------
    DataFrame
        All columns are text; the index is the image's name. `split_masks` takes the column masks apart.

    Raises
    ------
    InputError
        For unknown or missing columns, a value that the schema refuses, an image or file named twice, an
        empty split, classes of two collections or only one class, a class that is not in train, or a group
        in two splits of a sheet that does not say `image` in its column divided_by.
    """
    sheet = read_text_table(path, "See `python -m medscale scan_sheet`.")
    check_columns(sheet, COLUMNS, path)
    check_rows(sheet, schema_path, path)
    for column in ("image", "path"):
        check_unique(sheet, column, path)
    _check_masks(sheet, path)
    _check_classes(sheet, path)
    check_splits(sheet, "image", path)
    _check_groups(sheet, path)
    return sheet.set_index("image", drop=False)


def read_checked_sheet(path: str | Path) -> pd.DataFrame:
    """Read a sheet that `read_scan_sheet` has checked before."""
    return read_text_table(path, "See `python -m medscale scan_sheet`.").set_index("image", drop=False)


def split_masks(masks: str) -> tuple[str, ...]:
    """Return the paths in a cell of the column masks; none for an empty one."""
    return tuple(filter(None, masks.split(MASK_SEPARATOR)))


def find_collection(sheet: pd.DataFrame) -> Layout | None:
    """Return the collection that all classes of a sheet belong to; None where there is no such one."""
    present = set(sheet["class"])
    return next((layout for layout in LAYOUTS if present <= set(layout.classes)), None)


def list_classes(sheet: pd.DataFrame) -> list[str]:
    """Return the classes of a sheet in the order of their collection: those without tumour come first."""
    present = set(sheet["class"])
    return [label for label in find_collection(sheet).classes if label in present]


def list_tumour_free(sheet: pd.DataFrame) -> list[str]:
    """Return the classes of a sheet that are without tumour; none where it has no image of such a class."""
    return [label for label in list_classes(sheet) if label in find_collection(sheet).without_tumour]


def most_frequent(classes: pd.Series) -> str:
    """Return the class of most images; the first of those that are as frequent."""
    return classes.value_counts(sort=False).idxmax()


def check_in_sheet(names: Collection[str], sheet: pd.DataFrame) -> None:
    """Raise an `InputError` for the first of these images that is not in the sheet."""
    if unknown := sorted(set(names) - set(sheet["image"])):
        mend = "Classify the images of this sheet."
        raise InputError(
            f"image {unknown[0]}", "no line of the sheet for it", "images of the sheet alone", mend
        )


def check_scans_exist(sheet: pd.DataFrame, path: str | Path, made_by_rules: str) -> None:
    """Raise an `InputError` for the first image or mask that is not there.

    Parameters
    ----------
    made_by_rules : str
        Prefix of paths that rules make, which need not exist yet.
    """
    for image, own, masks in sheet[["image", "path", "masks"]].itertuples(index=False):
        for name in (own, *split_masks(masks)):
            if not name.startswith(made_by_rules) and not Path(name).is_file():
                raise InputError(
                    f"{path}, image {image}",
                    f"no file {name}",
                    "a PNG or JPEG, relative to the folder of the run or absolute",
                    "Correct the path, or run in the folder that the paths start from (--directory).",
                )


def check_same_images(sheet: pd.DataFrame, guarded: pd.DataFrame, path: str | Path) -> None:
    """Raise an `InputError` unless a sheet and the guarded one of its collection differ in splits alone."""
    columns = ["image", "path", "masks", "class", "group"]
    own, others = (set(one[columns].itertuples(index=False, name=None)) for one in (sheet, guarded))
    if own != others:
        raise InputError(
            path,
            f"other images than in the collection's other sheet, such as {sorted(own ^ others)[0][0]}",
            "the same images with the same files, classes and groups, in other splits",
            "Make both sheets of one folder, one of them with --no-guard.",
        )


def find_leaked(sheet: pd.DataFrame) -> pd.Series:
    """Return which rows are images of the test split with a duplicate, of their group, in train; bool."""
    learnt = set(sheet.loc[sheet["split"] == "train", "group"])
    return (sheet["split"] == "test") & sheet["group"].isin(learnt)


def count_leaked(sheet: pd.DataFrame) -> int:
    """Return how many images of the test split have a duplicate in train."""
    return int(find_leaked(sheet).sum())


def _check_masks(sheet: pd.DataFrame, path: str | Path) -> None:
    masks = sheet["masks"].map(split_masks).explode().dropna()
    repeated = masks[masks.duplicated()]
    if len(repeated):
        found = f"the mask {repeated.iloc[0]} a second time"
        where = f"{path}, line {repeated.index[0] + 2}"
        raise InputError(where, found, "each mask once", "Give each image its own masks.")


def _check_classes(sheet: pd.DataFrame, path: str | Path) -> None:
    present = sorted(set(sheet["class"]))
    if len(present) < 2 or find_collection(sheet) is None:
        expected = " or ".join(f"two or more of {', '.join(layout.classes)}" for layout in LAYOUTS)
        raise InputError(path, f"the classes {', '.join(present)}", expected, "Correct the column class.")
    lacking = sorted(set(present) - set(sheet.loc[sheet["split"] == "train", "class"]))
    if lacking:
        mend = "Move images of it to train, or take it out of the sheet."
        raise InputError(path, f"no image of class {lacking[0]} in train", "all classes there", mend)


def _check_groups(sheet: pd.DataFrame, path: str | Path) -> None:
    ways = sorted(set(sheet["divided_by"]))
    if len(ways) > 1:
        found = f"{' and '.join(ways)} in the column divided_by"
        raise InputError(path, found, "one of them in all lines", "Make the sheet again.")
    if ways == [BY_IMAGE]:
        return
    splits = sheet.groupby("group")["split"].agg(lambda values: sorted(set(values)))
    for group, found in splits[splits.map(len) > 1].items():
        raise InputError(
            f"{path}, group {group}",
            f"duplicates of one picture in {' and '.join(found)}",
            "all of them in one split, or results would flatter",
            "Give all of them the same split.",
        )
