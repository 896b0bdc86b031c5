import numpy as np
import pandas as pd

from medscale.pathology.confusion import (
    confuse_patients,
    confuse_slides,
    judge_patients,
    judge_slides,
)
from medscale.pathology.staging import CLASSES

SLIDES = pd.DataFrame(
    [
        ("a0", "a", "test", "macro", "macro", "held_out"),
        ("a1", "a", "test", "micro", "negative", "held_out"),
        ("b0", "b", "test", "itc", "negative", "held_out"),
        ("b1", "b", "test", "", "macro", "held_out"),
        ("c0", "c", "train_staging", "negative", "itc", "out_of_fold"),
        ("d0", "d", "train_staging", "negative", "negative", "none"),
    ],
    columns=["slide", "patient", "split", "true", "predicted", "prediction"],
)


def test_only_labelled_and_honest_predictions_are_judged():
    assert list(judge_slides(SLIDES, "test")["slide"]) == ["a0", "a1", "b0"]
    assert list(judge_slides(SLIDES, "train_staging")["slide"]) == ["c0"]


def test_a_missing_label_is_the_same_as_an_empty_one():
    read_back = SLIDES.assign(true=SLIDES["true"].replace("", np.nan))
    assert list(judge_slides(read_back, "test")["slide"]) == ["a0", "a1", "b0"]


def test_a_patient_with_an_unlabelled_slide_has_no_true_stage():
    assert judge_patients(SLIDES, "test").to_dict("list") == {
        "patient": ["a"],
        "true": ["pN1"],
        "predicted": ["pN1"],
    }
    assert judge_patients(SLIDES, "train_staging")["predicted"].to_list() == ["pN0(i+)"]
    assert judge_patients(SLIDES, "train_network").empty


def test_matrices_have_true_rows():
    slides = confuse_slides(SLIDES, "test")
    assert slides.shape == (4, 4)
    assert slides[CLASSES.index("micro"), CLASSES.index("negative")] == 1
    assert slides.sum() == 3
    patients = confuse_patients(SLIDES, "train_staging")
    assert patients.shape == (5, 5)
    assert patients[0, 1] == patients.sum() == 1
