"""A scan sheet from a folder of brain MR or breast ultrasound images."""

import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from medscale.errors import InputError
from medscale.files.divisions import SPLITS, divide_patients
from medscale.scans.duplicates import NEAR_BITS, find_contradicted, find_pairs, join_groups, take_fingerprints
from medscale.scans.image_folders import find_scans
from medscale.scans.sheets import BY_GROUP, BY_IMAGE, COLUMNS, MASK_SEPARATOR, most_frequent

log = logging.getLogger(__name__)


def survey_scans(folder: str | Path, near_bits: int = NEAR_BITS) -> tuple[pd.DataFrame, pd.DataFrame]:
    """List the usable images of a folder with the groups of duplicates that they form.

    Every image is read once. Images with the same pixels but two classes are all left out with a warning:
    nobody can tell which class is right. Near duplicates of two classes stay, in one group.

    Parameters
    ----------
    near_bits : int
        Most bits in which the hashes of near duplicates differ.

    Returns
    -------
    scans : DataFrame
        image, path, masks (tuple of paths), class, group.
    pairs : DataFrame
        The duplicates, as `find_pairs` lists them.

    Raises
    ------
    InputError
        As `find_scans`, or if an image is damaged.
    """
    scans = find_scans(folder)
    prints = take_fingerprints(scans["path"])
    names = scans["image"].tolist()
    pairs = find_pairs(names, prints, near_bits)
    contradicted = find_contradicted(prints.digests, scans["class"])
    for name in scans["image"][contradicted]:
        log.warning("left out: %s: two classes for one image's pixels", name)
    left_out = set(scans["image"][contradicted])
    kept = scans[~contradicted].reset_index(drop=True)
    pairs = pairs[~pairs["image"].isin(left_out) & ~pairs["other"].isin(left_out)].reset_index(drop=True)
    kept = kept.assign(group=join_groups(kept["image"].tolist(), pairs))
    _warn_of_mixed(kept)
    return kept, pairs


def divide_scans(
    scans: pd.DataFrame,
    *,
    guard: bool = True,
    test_share: float = 0.2,
    validation_share: float = 0.1,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the sheet of the images that `survey_scans` lists.

    Each class is divided by itself, so that its shares are the same in all splits. A group of two classes
    counts for that of most of its images.

    Parameters
    ----------
    guard : bool
        Draw whole groups. Otherwise images are drawn one by one, and duplicates of what a network learns from
        come into the test; this is for showing what they do to the scores.
    test_share, validation_share : float
        Shares of the groups (without guard, of the images) of each class; one at least is drawn.
    seed : int
        Draws them.

    Raises
    ------
    InputError
        If shares leave nothing for training, or a class has too few groups to fill every split.
    """
    _check_shares(test_share, validation_share)
    units = scans["group"] if guard else scans["image"]
    labels = scans["class"].groupby(units).agg(most_frequent)
    split: dict[str, str] = {}
    for label in scans["class"].unique():
        own = labels.index[labels == label].tolist()
        _check_enough(label, own, BY_GROUP if guard else BY_IMAGE)
        split |= divide_patients(own, {}, test_share, validation_share, seed, f"scans {label}")
    masks = scans["masks"].map(MASK_SEPARATOR.join)
    divided_by = BY_GROUP if guard else BY_IMAGE
    return scans.assign(masks=masks, split=units.map(split), divided_by=divided_by)[COLUMNS]


def _warn_of_mixed(scans: pd.DataFrame) -> None:
    for group, classes in scans.groupby("group")["class"].unique().items():
        if len(classes) > 1:
            log.warning("near duplicates of %s are of the classes %s", group, " and ".join(classes))


def _check_shares(test_share: float, validation_share: float) -> None:
    if min(test_share, validation_share) < 0 or test_share + validation_share >= 1:
        found = f"{test_share:g} for test and {validation_share:g} for validation"
        raise InputError("the shares", found, "shares from 0, less than 1 together", "Set smaller shares.")


def _check_enough(label: str, units: Sequence[str], unit: str) -> None:
    if len(units) < len(SPLITS):
        found = f"{len(units)} {unit}s"
        expected = f"{len(SPLITS)} at least, one for each of {', '.join(SPLITS)}"
        raise InputError(f"class {label}", found, expected, "Add images that are no duplicates.")
