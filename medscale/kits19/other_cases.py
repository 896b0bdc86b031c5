"""Labelled CT that is not KiTS19's, brought into KiTS19's layout and labels."""

import logging
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from medscale.errors import InputError
from medscale.files.hounsfield import check_hu
from medscale.files.volumes import Volume, write_nifti
from medscale.files.voxels import read_voxels
from medscale.kits19.case_sheet import CASE
from medscale.kits19.cases import CLASSES, ROUNDING, check_same_place

log = logging.getLogger(__name__)

Colour = tuple[int, int, int]

WHITE = 255
BLACK = (0, 0, 0)
# What black may be at most: a window cuts all that lies below it, which is mostly the air around a patient.
AIR_HU = -1000.0
NUMBERED = re.compile(r"(.*?)(\d+)\.png", re.IGNORECASE)


def make_case_from_volumes(
    imaging: str | Path,
    segmentation: str | Path,
    folder: str | Path,
    *,
    kidney: Sequence[int],
    tumour: Sequence[int] = (),
) -> None:
    """Write a case from a CT and labels with any numbers; both keep their affine and the order of their axes.

    Parameters
    ----------
    imaging, segmentation : str or Path
        NIfTI files on one grid, the first in HU.
    folder : str or Path
        Where `imaging.nii.gz` and `segmentation.nii.gz` go, called like `case_00000`.
    kidney, tumour : sequence of int
        Labels that become 1 and 2; all others become background.

    Raises
    ------
    InputError
        If a file is missing or damaged, the two do not lie in the same place, the CT is not in HU, labels are
        fractions, or a label that was asked for is not there.
    """
    _check_folder(folder)
    _check_asked(kidney, tumour)
    check_same_place(imaging, segmentation)
    volume, drawn = read_voxels(imaging), read_voxels(segmentation)
    check_hu(volume.values, imaging)
    labels = _name_labels(drawn.values, segmentation, kidney, tumour)
    _write_case(folder, volume, labels)


def make_case_from_pictures(
    images: str | Path,
    masks: str | Path,
    folder: str | Path,
    *,
    kidney: Sequence[Colour],
    tumour: Sequence[Colour] = (),
    window_hu: tuple[float, float],
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> None:
    """Write a case from the slices of one patient, kept as grey PNGs with coloured masks.

    A picture does not tell its window: `window_hu` is what the user takes it to be. Black means this low end
    or anything below it, mostly air, and is written as air. So prepare these cases with a window that does
    not begin lower: within it, nothing depends on what black was.

    Slices are taken in the order of the number at the end of their names, from head to feet, as they are seen
    on a screen: the patient's left on the right, the back below. They are written one beside the other,
    also where numbers are left out: distances across such gaps, volumes and surface scores are then wrong.

    Parameters
    ----------
    images, masks : str or Path
        Folders with PNGs of the same names, which differ in the number at their end alone.
    folder : str or Path
        Where `imaging.nii.gz` and `segmentation.nii.gz` go, called like `case_00000`.
    kidney, tumour : sequence of (red, green, blue)
        Colours that become 1 and 2; black becomes background.
    window_hu : (float, float)
        Meaning of black (0) and white (255).
    spacing_mm : (float, float, float)
        Between slices, rows and columns.

    Raises
    ------
    InputError
        If a picture lacks its partner, is damaged, of another size, of more than 8 bit, an image is not grey,
        a mask has a colour that was not given or lacks one that was, or a setting is impossible.
    """
    _check_folder(folder)
    _check_asked(kidney, tumour)
    _check_scale(window_hu, spacing_mm)
    pairs = _pair_slices(Path(images), Path(masks))
    grey = _stack((_read_grey(image) for image, _ in pairs), [image for image, _ in pairs])
    labels = _stack((_read_mask(mask, kidney, tumour) for _, mask in pairs), [mask for _, mask in pairs])
    if grey.shape != labels.shape:
        found = " × ".join(map(str, labels.shape[1:]))
        expected = f"{' × '.join(map(str, grey.shape[1:]))}, as the images in {images}"
        raise InputError(masks, f"masks of {found} pixels", expected, "Give the masks of these images.")
    for name, number, asked in (("kidney", 1, kidney), ("tumour", 2, tumour)):
        if asked and not (labels == number).any():
            found = f"no pixel of the colours {_list(asked)}, which are {name}"
            raise InputError(masks, found, f"some {name} in at least one slice", f"Correct --{name}.")
    log.info("black to white taken for %g to %g HU: an assumption, which no picture tells", *window_hu)
    affine = _affine(spacing_mm)
    _write_case(folder, Volume(_to_hu(grey, window_hu), affine), labels)


def _check_folder(folder: str | Path) -> None:
    if not CASE.fullmatch(Path(folder).name):
        expected = "a folder called case_ and five digits, such as cases/case_10036"
        raise InputError("--output", str(folder), expected, "KiTS19's sheets list no others: rename it.")


def _check_asked(kidney: Sequence[int | Colour], tumour: Sequence[int | Colour]) -> None:
    both = sorted(set(kidney) & set(tumour))
    if both or not kidney:
        found = f"{_list(both)} as kidney and tumour" if both else "no label of the kidney"
        raise InputError("--kidney", found, "one meaning for each label", "Correct --kidney and --tumour.")
    if BLACK in (*kidney, *tumour) or 0 in (*kidney, *tumour):
        raise InputError("--kidney", "the background (0)", "labels other than 0", "Leave it out.")


def _check_scale(window_hu: Sequence[float], spacing_mm: Sequence[float]) -> None:
    if not window_hu[0] < window_hu[1]:
        found = f"from {window_hu[0]:g} to {window_hu[1]:g} HU"
        raise InputError("--window", found, "a lower and a higher value", "Correct it.")
    if not all(0 < step < np.inf for step in spacing_mm):
        raise InputError("--spacing", _list(spacing_mm), "three distances above 0 mm", "Correct it.")


def _name_labels(
    values: np.ndarray, path: str | Path, kidney: Sequence[int], tumour: Sequence[int]
) -> np.ndarray:
    """Return numbers of `CLASSES`, uint8, for labels of any numbers."""
    whole = np.rint(values)
    if not np.abs(values - whole).max() <= ROUNDING:
        mend = "Give labels; a mask of probabilities has to be cut at one of them first."
        raise InputError(path, "fractions", "whole numbers", mend)
    present = np.unique(whole).astype(int).tolist()
    if missing := [label for label in (*kidney, *tumour) if label not in present]:
        expected = f"{_list(missing)} among them, as was asked for"
        mend = "Correct --kidney and --tumour, or leave out what this patient does not have."
        raise InputError(path, f"the labels {_list(present)}", expected, mend)
    labels = np.zeros(values.shape, np.uint8)
    labels[np.isin(whole, kidney)] = 1
    labels[np.isin(whole, tumour)] = 2
    return labels


def _pair_slices(images: Path, masks: Path) -> list[tuple[Path, Path]]:
    """Return image and mask of every slice, by the number at the end of the name."""
    numbered = {folder: _number_pictures(folder) for folder in (images, masks)}
    for one, other in ((images, masks), (masks, images)):
        if lacking := sorted(path.name for path in one.glob("*.png") if not (other / path.name).is_file()):
            found = f"no {lacking[0]} ({len(lacking)} are missing)"
            mend = "Add it, or take its partner away."
            raise InputError(other, found, f"a partner for each picture in {one}", mend)
    return [(images / name, masks / name) for _, name in sorted(numbered[images].items())]


def _number_pictures(folder: Path) -> dict[int, str]:
    """Return the names of a folder's PNGs by their number."""
    expected = "PNGs called after one patient and a number, such as 10036_103.png"
    mend = "Give the slices of one patient, each once, and nothing else."
    names: dict[int, str] = {}
    patients = set()
    for path in sorted(folder.glob("*.png")):
        matched = NUMBERED.fullmatch(path.name)
        if not matched or int(matched[2]) in names:
            found = f"{path.name}, {'a second time this number' if matched else 'without a number'}"
            raise InputError(folder, found, expected, mend)
        names[int(matched[2])] = path.name
        patients.add(matched[1])
    if len(patients) != 1:
        found = f"names that begin with {_list(sorted(patients))}" if patients else "no PNG"
        raise InputError(folder, found, expected, mend)
    return names


def _read_grey(path: Path) -> np.ndarray:
    pixels = _read_picture(path)
    if pixels.ndim == 3 and (pixels != pixels[..., :1]).any():
        raise InputError(path, "colours", "a grey picture", "Give the CT without overlays or colour map.")
    return pixels if pixels.ndim == 2 else pixels[..., 0]


def _read_mask(path: Path, kidney: Sequence[Colour], tumour: Sequence[Colour]) -> np.ndarray:
    """Return numbers of `CLASSES`, uint8, shape (rows, columns)."""
    pixels = _read_picture(path)
    rgb = np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels[..., ::-1]
    labels = np.zeros(rgb.shape[:2], np.uint8)
    known = (rgb == 0).all(axis=2)
    for colours, number in ((kidney, 1), (tumour, 2)):
        for colour in colours:
            here = (rgb == np.array(colour)).all(axis=2)
            labels[here], known = number, known | here
    if not known.all():
        found = f"the colour {_list([tuple(rgb[~known][0].tolist())])}"
        mend = "Name it with --kidney or --tumour, or save the masks without blending and as PNG."
        raise InputError(path, found, f"black, {_list((*kidney, *tumour))} alone", mend)
    return labels


def _read_picture(path: Path) -> np.ndarray:
    """Return the pixels of an 8-bit PNG, as (rows, columns) or (rows, columns, blue green red)."""
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    expected, mend = "a whole PNG of 8 bit, grey or in three colours", "Export the slice again."
    if pixels is None:
        raise InputError(path, "no readable picture", expected, mend)
    if pixels.dtype != np.uint8:
        raise InputError(path, f"{8 * pixels.itemsize} bit", expected, mend)
    if pixels.ndim == 3 and pixels.shape[2] != 3:
        raise InputError(path, "transparency", expected, mend)
    return pixels


def _stack(slices: Iterable[np.ndarray], paths: Sequence[Path]) -> np.ndarray:
    """Return pictures of one size as (slices, rows, columns)."""
    pictures = list(slices)
    for picture, path in zip(pictures, paths, strict=True):
        if picture.shape != pictures[0].shape:
            found, expected = (" × ".join(map(str, one.shape)) for one in (picture, pictures[0]))
            mend = "Give slices of one scan."
            raise InputError(path, f"{found} pixels", f"{expected}, as in {paths[0].name}", mend)
    return np.stack(pictures)


def _to_hu(grey: np.ndarray, window_hu: tuple[float, float]) -> np.ndarray:
    """Return HU, int16."""
    low, high = window_hu
    hu = np.rint(low + grey * ((high - low) / WHITE))
    return np.where(grey == 0, min(low, AIR_HU), hu).astype(np.int16)


def _affine(spacing_mm: tuple[float, float, float]) -> np.ndarray:
    """Return the affine of slices, rows and columns that run as KiTS19's do."""
    affine = np.zeros((4, 4))
    # Slices run to the feet, rows to the back, columns to the left: all against RAS+.
    affine[[2, 1, 0], [0, 1, 2]] = np.negative(spacing_mm)
    affine[3, 3] = 1
    return affine


def _write_case(folder: str | Path, imaging: Volume, labels: np.ndarray) -> None:
    write_nifti(imaging, Path(folder) / "imaging.nii.gz")
    write_nifti(Volume(labels, imaging.affine), Path(folder) / "segmentation.nii.gz")
    counts = dict(zip(CLASSES, np.bincount(labels.ravel(), minlength=len(CLASSES)).tolist(), strict=True))
    log.info("%s: %s voxels, %s", folder, " × ".join(map(str, labels.shape)), counts)


def _list(values: Iterable[object]) -> str:
    """Return values as they are given on the command line."""
    return " ".join(",".join(map(str, one)) if isinstance(one, tuple) else str(one) for one in values)
