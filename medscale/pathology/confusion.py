"""What was true beside what was predicted: for slides, and for patients by their stages."""

import numpy as np
import pandas as pd

from medscale.pathology.agreement import count_confusion
from medscale.pathology.staging import CLASSES, STAGES, stage_patient


def judge_slides(slide_classes: pd.DataFrame, split: str) -> pd.DataFrame:
    """Return the slides of a split that can be judged: `slide`, `patient`, `true`, `predicted`.

    Slides without a label are left out, and of `train_staging` all but the out-of-fold predictions: the
    others come from forests that have seen the patient, or from none.

    Parameters
    ----------
    slide_classes : DataFrame
        As `classify_slides` returns it.
    split : {"test", "train_staging"}
    """
    kept = slide_classes[slide_classes["split"] == split].assign(true=lambda rows: rows["true"].fillna(""))
    if split == "train_staging":
        kept = kept[kept["prediction"] == "out_of_fold"]
    return kept.loc[kept["true"] != "", ["slide", "patient", "true", "predicted"]]


def judge_patients(slide_classes: pd.DataFrame, split: str) -> pd.DataFrame:
    """Return the patients of a split that can be judged: `patient`, `true` and `predicted` pN stage.

    The true stage follows from the true slide classes by the rule, so a patient with a slide that cannot
    be judged is left out.
    """
    slides = judge_slides(slide_classes, split)
    whole = slide_classes.groupby("patient")["slide"].nunique()
    rows = [
        (patient, stage_patient(list(own["true"])), stage_patient(list(own["predicted"])))
        for patient, own in slides.groupby("patient", sort=True)
        if len(own) == whole[patient]
    ]
    return pd.DataFrame(rows, columns=["patient", "true", "predicted"], dtype=object)


def confuse_slides(slide_classes: pd.DataFrame, split: str) -> np.ndarray:
    """Return counts of slides, int64, shape (4, 4): rows are the true `CLASSES`, columns the predicted."""
    judged = judge_slides(slide_classes, split)
    return count_confusion(list(judged["true"]), list(judged["predicted"]), CLASSES)


def confuse_patients(slide_classes: pd.DataFrame, split: str) -> np.ndarray:
    """Return counts of patients, int64, shape (5, 5): rows are the true `STAGES`, columns the predicted."""
    judged = judge_patients(slide_classes, split)
    return count_confusion(list(judged["true"]), list(judged["predicted"]), STAGES)
