"""From slide classes to the patient's pN stage."""

import re
from collections.abc import Sequence

import pandas as pd

from medscale.errors import InputError

CLASSES = ("negative", "itc", "micro", "macro")
STAGES = ("pN0", "pN0(i+)", "pN1mi", "pN1", "pN2")
MAX_NODES_PN1 = 3


def stage_patient(slide_classes: Sequence[str]) -> str:
    """Return the pN stage of a patient from the classes of all its slides, one slide a node.

    Only nodes with a micro- or macro-metastasis count as positive: isolated tumour cells (ITC) never do.
    Source: the evaluation page of CAMELYON17; Table 2.3 of the thesis.

    Parameters
    ----------
    slide_classes : sequence of str
        Each one of `CLASSES`, in any order.

    Returns
    -------
    str
        One of `STAGES`.

    Raises
    ------
    InputError
        If there is no slide or a class is unknown.
    """
    _check_classes(slide_classes)
    counts = {name: list(slide_classes).count(name) for name in CLASSES}
    if counts["macro"]:
        return "pN1" if counts["micro"] + counts["macro"] <= MAX_NODES_PN1 else "pN2"
    if counts["micro"]:
        return "pN1mi"
    return "pN0(i+)" if counts["itc"] else "pN0"


def stage_patients(slide_classes: pd.DataFrame, *, column: str = "predicted") -> pd.DataFrame:
    """Stage every patient, in the form that CAMELYON17 takes as a submission.

    Parameters
    ----------
    slide_classes : DataFrame
        One row a slide, with `patient` and `column`.
    column : str
        The column that holds the slide's class.

    Returns
    -------
    DataFrame
        `patient` (`patient_000.zip`) and `stage`, one row a patient, sorted by patient. Slide rows are
        not part of it: the official evaluation ignores them.

    Raises
    ------
    InputError
        If a class is unknown.
    """
    stages = slide_classes.groupby("patient", sort=True)[column].agg(
        lambda classes: stage_patient(list(classes))
    )
    return pd.DataFrame({"patient": [_as_archive(name) for name in stages.index], "stage": list(stages)})


def _as_archive(patient: str) -> str:
    return re.sub(r"\.zip$", "", str(patient)) + ".zip"


def _check_classes(slide_classes: Sequence[str]) -> None:
    unknown = [name for name in slide_classes if name not in CLASSES]
    if unknown or not len(slide_classes):
        found = f"the class {unknown[0]!r}" if unknown else "no slide"
        raise InputError(
            "slide classes", found, f"one or more of {', '.join(CLASSES)}", "Correct the slide's label."
        )
