"""What lies in folders of brain MR images and of breast ultrasound images, as they are published."""

import logging
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from medscale.errors import InputError
from medscale.scans.images import check_same_size, read_mask, read_size

log = logging.getLogger(__name__)

FOUND_COLUMNS = ["image", "path", "masks", "class"]
SUFFIXES = frozenset({".png", ".jpg", ".jpeg"})
# benign (4)_mask.png, benign (4)_mask_1.png: masks of benign (4).png.
MASK = re.compile(r"(?P<image>.+)_mask(_\d+)?", re.IGNORECASE)
NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True)
class Layout:
    """The folders of a published collection, one for each class.

    Attributes
    ----------
    name : str
    with_tumour, without_tumour : tuple of str
        Folders of classes.
    masked : bool
        Whether each image with a tumour has its outline as masks beside it.
    """

    name: str
    with_tumour: tuple[str, ...]
    without_tumour: tuple[str, ...]
    masked: bool

    @property
    def classes(self) -> tuple[str, ...]:
        """All classes; without tumour first."""
        return (*self.without_tumour, *self.with_tumour)


LAYOUTS = (
    Layout("brain_mri", ("yes",), ("no",), masked=False),
    Layout("breast_ultrasound", ("benign", "malignant"), ("normal",), masked=True),
)


def find_scans(folder: str | Path) -> pd.DataFrame:
    """List the images of a folder with `yes/` and `no/`, or with `benign/`, `malignant/` and `normal/`.

    The folder may hold one other folder that holds these, as archives of BUSI do. A class of breast
    ultrasound may be missing, but not all but one. Headers of all images and the pixels of all masks are
    read. Files that are neither PNG nor JPEG by their suffix are passed over with a warning.

    Several masks of one image outline several tumours. A normal image needs none; one that it has must be
    empty. An image of breast ultrasound with a tumour but without a mask, or with an empty one, is refused:
    as an empty mask it would teach that there is no tumour.

    Returns
    -------
    DataFrame
        image (a unique name of letters, digits and _), path (absolute), masks (tuple of absolute paths),
        class; those without tumour first, then sorted by the numbers in file names.

    Raises
    ------
    InputError
        For folders of unknown or too few classes, a file that is no image, a mask without its image, of
        another size, or that does not fit the class as said above.
    """
    folder, layout = _find_layout(Path(folder).resolve())
    rows = [row for name in layout.classes for row in _list_class(folder / name, layout)]
    found = pd.DataFrame(rows, columns=["path", "masks", "class"])
    present = found["class"].unique().tolist()
    if len(present) < 2:
        mend = "Fetch the collection again: a network needs two classes at least."
        raise InputError(folder, f"images of {present or 'no class'}", f"of {_list(layout.classes)}", mend)
    for missing in set(layout.classes) - set(present):
        log.warning("%s: no images of class %s", folder, missing)
    names = _name_images(found)
    return found.assign(image=names)[FOUND_COLUMNS]


def _find_layout(folder: Path) -> tuple[Path, Layout]:
    if not folder.is_dir():
        raise InputError(folder, "no such folder", _describe_layouts(), "Correct the path.")
    inner = _subfolders(folder)
    known = {name for layout in LAYOUTS for name in layout.classes}
    if len(inner) == 1 and inner[0] not in known:
        folder = folder / inner[0]
        inner = _subfolders(folder)
    layout = max(LAYOUTS, key=lambda one: len(set(inner) & set(one.classes)))
    unknown = sorted(set(inner) - set(layout.classes))
    if unknown or len(inner) < 2:
        found = f"the folders {_list(inner)}" if inner else "no folders"
        mend = "Take others away; where a folder in it holds a copy of the whole, give that one."
        raise InputError(folder, found, _describe_layouts(), mend)
    return folder, layout


def _subfolders(folder: Path) -> list[str]:
    # Archives made on a Mac bring such folders along.
    return sorted(
        path.name
        for path in folder.iterdir()
        if path.is_dir() and not path.name.startswith(".") and path.name != "__MACOSX"
    )


def _describe_layouts() -> str:
    return " or ".join(f"{_list(layout.classes)} ({layout.name})" for layout in LAYOUTS)


def _list(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"{name}/" for name in names)


def _list_class(folder: Path, layout: Layout) -> list[dict[str, object]]:
    pictures, masks = _split_files(folder)
    _check_masks_have_images(pictures, masks)
    rows = []
    for stem, path in sorted(pictures.items(), key=lambda one: _natural(one[0])):
        own = tuple(masks.get(stem, ()))
        _check_scan(path, own, folder.name, layout)
        rows.append({"path": str(path), "masks": tuple(map(str, own)), "class": folder.name})
    return rows


def _split_files(folder: Path) -> tuple[dict[str, Path], dict[str, list[Path]]]:
    """Return images by their stem (by the whole name where it is taken), and masks by their image's stem."""
    pictures: dict[str, Path] = {}
    masks: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir(), key=lambda one: _natural(one.name)) if folder.is_dir() else ():
        if path.suffix.lower() not in SUFFIXES:
            if not path.name.startswith("."):
                log.warning("%s is passed over: neither PNG nor JPEG by its suffix", path)
        elif mask := MASK.fullmatch(path.stem):
            masks.setdefault(mask["image"], []).append(path)
        else:
            pictures[path.name if path.stem in pictures else path.stem] = path
    return pictures, masks


def _check_masks_have_images(pictures: dict[str, Path], masks: dict[str, list[Path]]) -> None:
    for stem in masks:
        if stem not in pictures:
            mend = "Fetch the image, or take the mask away."
            raise InputError(masks[stem][0], "a mask without its image", f"{stem}.png beside it", mend)


def _check_scan(path: Path, masks: tuple[Path, ...], label: str, layout: Layout) -> None:
    shape = read_size(path)
    for mask in masks:
        check_same_size(read_size(mask), shape, mask)
    marked = bool(masks) and bool(read_mask(masks, shape).any())
    if layout.masked and label in layout.with_tumour and not marked:
        found = "masks without a white pixel" if masks else f"no {path.stem}_mask.png"
        mend = "Fetch its mask, or take the image away."
        raise InputError(path, found, f"the outline of the tumour, because it is {label}", mend)
    if label in layout.without_tumour and marked:
        found, expected = f"a mask with white pixels, {masks[0].name}", f"none, because it is {label}"
        raise InputError(path, found, expected, "Move the image to its class, or take the mask away.")


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Return a key that sorts 2 before 10."""
    parts = re.findall(r"\d+|\D+", name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def _name_images(found: pd.DataFrame) -> list[str]:
    """Return names from those of files, with class and number where these are not unique."""
    plain = [NOT_IN_NAMES.sub("_", Path(path).stem).strip("_") or "image" for path in found["path"]]
    # Names that differ in case alone are one file on some disks.
    counts = Counter(name.lower() for name in plain)
    names: list[str] = []
    taken: set[str] = set()
    for name, label in zip(plain, found["class"], strict=True):
        base = f"{label}_{name}" if counts[name.lower()] > 1 else name
        unique, number = base, 2
        while unique.lower() in taken:
            unique, number = f"{base}_{number}", number + 1
        names.append(unique)
        taken.add(unique.lower())
    return names
