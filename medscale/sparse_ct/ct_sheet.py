"""A CT sheet from folders of DICOM and NIfTI files."""

import hashlib
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from medscale.errors import InputError
from medscale.files.divisions import divide_patients
from medscale.sparse_ct.found_images import FoundImage, find_images
from medscale.sparse_ct.images import read_image
from medscale.sparse_ct.sheets import COLUMNS, SCALE_COLUMNS

log = logging.getLogger(__name__)


def make_ct_sheet(
    places: Iterable[str | Path],
    *,
    splits: dict[str, str] | None = None,
    test_share: float = 0.2,
    validation_share: float = 0.1,
    seed: int = 0,
) -> pd.DataFrame:
    """List the usable CT images in files and below folders as a CT sheet.

    Every image is read once. Those that cannot be used are left out with a warning that says why, and so
    are those that share a slice with an image of another patient. Paths in the sheet are absolute, so that
    it serves runs in any folder.

    Parameters
    ----------
    places : iterable of str or Path
        Folders and files.
    splits : dict of patient to split, optional
        Fixes the split of these patients; the others are divided by `divide_patients`.
    test_share, validation_share : float
        Shares of the patients that are set aside.
    seed : int
        Draws them.

    Raises
    ------
    InputError
        If no image can be used, or there are too few patients to fill every split.
    """
    places = list(places)
    images = _keep_usable(find_images(places))
    if not images:
        where, mend = (
            ", ".join(map(str, places)),
            "Name folders that hold CT; warnings say what was left out.",
        )
        raise InputError(where, "no usable CT image", "DICOM or NIfTI files of axial CT", mend)
    patients = sorted({image.patient for image in images})
    split = divide_patients(patients, splits or {}, test_share, validation_share, seed, "CT patients")
    rows = [
        {"image": name, "patient": image.patient, "path": str(image.path), "split": split[image.patient]}
        for name, image in zip(_name_images(images), images, strict=True)
    ]
    return pd.DataFrame(rows).assign(**dict.fromkeys(SCALE_COLUMNS, ""))[COLUMNS]


def _keep_usable(images: Sequence[FoundImage]) -> list[FoundImage]:
    kept: list[FoundImage] = []
    owners: dict[str, FoundImage] = {}
    for image in images:
        try:
            slices = _digest_slices(read_image(image.path).hu)
            _check_not_shared(image, slices, owners)
        except InputError as error:
            log.warning("left out: %s", error)
            continue
        kept.append(image)
        owners |= dict.fromkeys(slices - owners.keys(), image)
    return kept


def _digest_slices(hu: np.ndarray) -> set[str]:
    """Return a digest of every slice that is not all of one value."""
    return {hashlib.sha256(one).hexdigest() for one in hu if one.min() < one.max()}


def _check_not_shared(image: FoundImage, slices: set[str], owners: dict[str, FoundImage]) -> None:
    for other in (owners[one] for one in sorted(slices & owners.keys())):
        if other.patient != image.patient:
            raise InputError(
                image.path,
                f"a slice of patient {image.patient} that is also in {other.path} of patient {other.patient}",
                "no pixels in common between patients, or results would flatter",
                "Find out whose it is, and remove one of the two.",
            )
        log.info("%s has a slice in common with %s of the same patient", image.path, other.path)
        return


def _name_images(images: Sequence[FoundImage]) -> list[str]:
    """Return the name of each image's file, with patient and number where it takes them to be unique."""
    repeated = {stem for stem, count in Counter(image.stem for image in images).items() if count > 1}
    names: list[str] = []
    for image in images:
        plain = f"{image.patient}_{image.stem}" if image.stem in repeated else image.stem
        name, number = plain, 2
        while name in names:
            name, number = f"{plain}_{number}", number + 1
        names.append(name)
    return names
