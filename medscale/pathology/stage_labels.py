"""The label file of CAMELYON17: one row a patient, one row a slide, in the same column."""

import csv
import io
import logging
import re
from pathlib import Path

import pandas as pd

from medscale.errors import InputError
from medscale.pathology.staging import CLASSES, STAGES, stage_patient

LAYOUTS = (["patient", "stage"], ["patient", "stage", "center"])
SLIDE_NAME = re.compile(r"(patient_\d+)_node_\d+(\.tiff?)?")
PATIENT_NAME = re.compile(r"patient_\d+(\.zip)?")
SPELLINGS = {name.lower(): name for name in CLASSES + STAGES}

log = logging.getLogger(__name__)


def read_stage_labels(path: str | Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read `stage_labels.csv` (2017) or `stages.csv` (today, with the column `center`) of CAMELYON17.

    Line ends may be CRLF or LF. As in the official evaluation, capitals do not matter; classes and stages
    come back in the official spelling. A stage that does not follow from the patient's slides is warned of.

    Returns
    -------
    slides : DataFrame
        `slide` (`patient_000_node_0`) and `label` (one of `CLASSES`), in the file's order.
    patients : DataFrame
        `patient` (`patient_000`) and `stage` (one of `STAGES`), in the file's order.

    Raises
    ------
    InputError
        If the header, a name, a class or a stage is unknown, a row is malformed or a name comes twice; the
        message names the row as an editor counts it, from 1.
    """
    slides: dict[str, str] = {}
    patients: dict[str, str] = {}
    for number, cells in _read_rows(Path(path)):
        name, label, table, accepted = _parse_row(cells, slides, patients, f"{path}, row {number}")
        if name in table:
            raise InputError(
                f"{path}, row {number}", f"{name} again", "each name once", "Delete one of its rows."
            )
        if label not in accepted:
            raise InputError(
                f"{path}, row {number}",
                f"{cells[1]!r} for {name}",
                f"one of {', '.join(accepted)}",
                "Correct the row.",
            )
        table[name] = label
    _warn_of_contradictions(slides, patients, path)
    return (
        pd.DataFrame({"slide": list(slides), "label": list(slides.values())}, dtype=object),
        pd.DataFrame({"patient": list(patients), "stage": list(patients.values())}, dtype=object),
    )


def _read_rows(path: Path) -> list[tuple[int, list[str]]]:
    """Return the rows below the header, with their numbers; empty lines are left out."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            path, f"no readable text ({error})", "CAMELYON17's label file", "Fetch it again."
        ) from error
    reader = csv.reader(io.StringIO(text, newline=""))
    rows = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader if any(cells)]
    header = rows[0][1] if rows else []
    if [name.lower() for name in header] not in LAYOUTS:
        raise InputError(
            f"{path}, row 1",
            f"the header {','.join(header)!r}",
            "'patient,stage' or 'patient,stage,center'",
            "Give the label file that comes with CAMELYON17.",
        )
    for number, cells in rows:
        if len(cells) != len(header):
            raise InputError(
                f"{path}, row {number}",
                f"{len(cells)} cells in {','.join(cells)!r}",
                f"{len(header)} cells",
                "Correct the row.",
            )
    return rows[1:]


def _parse_row(
    cells: list[str], slides: dict[str, str], patients: dict[str, str], where: str
) -> tuple[str, str | None, dict[str, str], tuple[str, ...]]:
    """Return the row's name, its label in official spelling, and the table and labels of its kind."""
    label = SPELLINGS.get(cells[1].lower())
    if SLIDE_NAME.fullmatch(cells[0]):
        return re.sub(r"\.tiff?$", "", cells[0]), label, slides, CLASSES
    if PATIENT_NAME.fullmatch(cells[0]):
        return cells[0].removesuffix(".zip"), label, patients, STAGES
    raise InputError(
        where,
        f"the name {cells[0]!r}",
        "a patient (patient_000.zip) or a slide (patient_000_node_0.tif)",
        "Correct the row.",
    )


def _warn_of_contradictions(slides: dict[str, str], patients: dict[str, str], path: str | Path) -> None:
    nodes: dict[str, list[str]] = {}
    for slide, label in slides.items():
        nodes.setdefault(SLIDE_NAME.fullmatch(slide)[1], []).append(label)
    for patient in sorted(nodes.keys() & patients.keys()):
        stage = stage_patient(nodes[patient])
        if stage != patients[patient]:
            log.warning("%s: %s is %s, but its slides say %s", path, patient, patients[patient], stage)
