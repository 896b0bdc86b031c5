"""A slide sheet from a folder of CAMELYON17, in its old and its new layout."""

import hashlib
import logging
import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from medscale.errors import InputError
from medscale.files.divisions import check_fixed
from medscale.files.provenance import SUFFIX
from medscale.files.tables import write_json, write_table
from medscale.pathology.sheets import COLUMNS, SPLITS
from medscale.pathology.stage_labels import read_stage_labels
from medscale.seeds import generator

log = logging.getLogger(__name__)

SLIDE_FILE = re.compile(r"(patient_(\d+))_node_\d+\.tiff?")
MASK_ENDING = re.compile(r"_mask(?=\.tiff?$)")
LABEL_FILES = ("stage_labels.csv", "stages.csv")
ANNOTATION_FOLDERS = ("lesion_annotations", "annotations")
PATIENTS_PER_CENTRE, CENTRES = 20, 5
# MD5 of the copies known to circulate; they differ in 22 slides and 10 patients.
REVISIONS = {
    "899f56f5cae0f4464707ba9e67439355": "2017",
    "eb16416083782348ffa7cfde029a14e7": "2019",
}


def make_camelyon17_sheet(
    folder: str | Path, *, splits: dict[str, str] | None = None, test_share: float = 0.2, seed: int = 0
) -> pd.DataFrame:
    """List the slides of a CAMELYON17 folder as a slide sheet.

    Slides are found by their names anywhere below `folder`, which covers the layout of 2017
    (`training/centre_0/patient_000_node_0.tif`, `lesion_annotations/`, `stage_labels.csv`) and today's
    (`images/`, `annotations/`, `masks/`, `stages.csv`). An ASAP XML is preferred to a mask. Paths in the
    sheet are absolute, so that it serves runs in any folder.

    Parameters
    ----------
    splits : dict of patient to split, optional
        Fixes the split of these patients; the others are divided by `divide_patients`.
    test_share : float
        Share of the labelled patients that are set aside as `test`.
    seed : int
        Draws the patients of the test split.

    Raises
    ------
    InputError
        If the folder holds no slides, no label file or several, zipped slides, a slide twice, or labels
        of slides that are not there.
    """
    folder = Path(folder)
    slides = _find_slides(folder)
    labels = read_stage_labels(find_label_file(folder))[0].set_index("slide")["label"]
    missing = sorted(set(labels.index) - set(slides))
    if missing:
        log.warning("%d labelled slides are not in %s, such as %s", len(missing), folder, missing[0])
    annotations = _find_annotations(folder)
    rows = [
        {
            "slide": name,
            "patient": SLIDE_FILE.fullmatch(path.name)[1],
            "centre": _centre(path),
            "path": str(path.resolve()),
            "annotation": str(annotations[name].resolve()) if name in annotations else "",
            "label": labels.get(name, ""),
            "split": "",
        }
        for name, path in sorted(slides.items())
    ]
    sheet = pd.DataFrame(rows, columns=COLUMNS)
    sheet["split"] = sheet["patient"].map(divide_patients(sheet, splits or {}, test_share, seed))
    return sheet


def divide_patients(
    sheet: pd.DataFrame, fixed: dict[str, str], test_share: float, seed: int
) -> dict[str, str]:
    """Return the split of each patient.

    Of the patients of each centre, the share `test_share` is drawn for `test`, alike from those with
    and without annotated slides, so that outlines can be judged on test patients too. Of the rest,
    patients with annotations train the network and all others the forest. Patients without labels
    are `test`: they can be predicted and nothing else.
    """
    patients = sheet.groupby("patient").agg(
        centre=("centre", "first"),
        annotated=("annotation", lambda paths: (paths != "").any()),
        labelled=("label", lambda labels: (labels != "").all()),
    )
    check_fixed(fixed, patients.index, SPLITS)
    split = {name: "test" for name in patients.index[~patients["labelled"]]}
    for (centre, annotated), group in patients[patients["labelled"]].groupby(["centre", "annotated"]):
        free = [name for name in group.index if name not in fixed]
        drawn = generator(seed, "test patients", str(centre), str(annotated)).permutation(free)
        tested = set(drawn[: round(test_share * len(free))])
        learning = "train_network" if annotated else "train_staging"
        split |= {name: "test" if name in tested else learning for name in free}
    return split | fixed


def write_sheet_with_labels_digest(sheet: pd.DataFrame, path: str | Path, labels: Path) -> None:
    """Write the sheet and, beside it, which revision of the label file it was made from."""
    content = labels.read_bytes()
    # MD5 only names the known copies; it protects nothing.
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    record = {
        "label_file": str(labels),
        "label_file_sha256": hashlib.sha256(content).hexdigest(),
        "label_file_revision": REVISIONS.get(md5, "not one of the two known revisions"),
    }
    write_table(sheet, path)
    write_json(record, f"{path}{SUFFIX}")


def find_label_file(folder: Path) -> Path:
    """Return the one label file below `folder`."""
    found = sorted(path for name in LABEL_FILES for path in Path(folder).rglob(name))
    if len(found) != 1:
        raise InputError(
            folder,
            f"{len(found)} label files {', '.join(map(str, found))}",
            f"one of {' or '.join(LABEL_FILES)}",
            "Put the label file of CAMELYON17 into the folder and remove others.",
        )
    return found[0]


def _find_slides(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*.tif*")):
        if not SLIDE_FILE.fullmatch(path.name):
            continue
        if path.stem in found:
            mend = "Remove one of the two."
            raise InputError(path, f"slide {path.stem} again, as {found[path.stem]}", "each slide once", mend)
        found[path.stem] = path
    if not found:
        zipped = any(folder.rglob("patient_*.zip"))
        raise InputError(
            folder,
            "zipped patients only" if zipped else "no slide",
            "files such as patient_000_node_0.tif",
            "Unpack the zip files." if zipped else "Name the folder that holds CAMELYON17.",
        )
    return found


def _find_annotations(folder: Path) -> dict[str, Path]:
    masks = folder.rglob("masks/*_mask.tif*")
    outlines = (path for name in ANNOTATION_FOLDERS for path in folder.rglob(f"{name}/*.xml"))
    return _by_slide(masks) | _by_slide(outlines)


def _by_slide(paths: Iterable[Path]) -> dict[str, Path]:
    return {Path(MASK_ENDING.sub("", path.name)).stem: path for path in paths}


def _centre(path: Path) -> str:
    """Return the centre from the folder's name, else from the patient's number, else nothing."""
    folder = re.search(r"cent(?:re|er)_(\d+)", str(path.parent))
    if folder:
        return folder[1]
    number = int(SLIDE_FILE.fullmatch(path.name)[2])
    # Patients 100 to 199 are the test set, again 20 from each centre.
    patients = PATIENTS_PER_CENTRE * CENTRES
    return str(number % patients // PATIENTS_PER_CENTRE) if number < 2 * patients else ""
