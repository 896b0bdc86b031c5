import itertools

import pandas as pd
import pytest

from medscale.errors import InputError
from medscale.pathology.staging import CLASSES, stage_patient, stage_patients


def stage_by_the_words_of_the_page(nodes: tuple[str, ...]) -> str:
    """The five sentences of CAMELYON17's evaluation page, each on its own."""
    positive = sum(node in ("micro", "macro") for node in nodes)
    rules = {
        "pN0": set(nodes) == {"negative"},
        "pN0(i+)": "itc" in nodes and set(nodes) <= {"negative", "itc"},
        "pN1mi": "micro" in nodes and "macro" not in nodes,
        "pN1": "macro" in nodes and 1 <= positive <= 3,
        "pN2": "macro" in nodes and 4 <= positive <= 9,
    }
    (stage,) = [name for name, holds in rules.items() if holds]
    return stage


def test_every_combination_of_five_nodes_has_the_stage_of_the_official_page():
    for nodes in itertools.product(CLASSES, repeat=5):
        assert stage_patient(nodes) == stage_by_the_words_of_the_page(nodes), nodes


def test_isolated_tumour_cells_never_count_as_a_positive_node():
    assert stage_patient(["macro", "micro", "micro", "itc", "itc"]) == "pN1"
    assert stage_patient(["macro", "micro", "micro", "micro", "itc"]) == "pN2"


@pytest.mark.parametrize("nodes", [["negative", "tumor"], ["Macro"], [""], []])
def test_unknown_classes_and_no_slides_are_refused(nodes):
    with pytest.raises(InputError, match="slide classes"):
        stage_patient(nodes)


def test_patients_come_in_submission_form_sorted_each_once():
    slides = pd.DataFrame(
        {
            "patient": ["patient_017", "patient_002", "patient_017", "patient_002.zip"],
            "predicted": ["macro", "itc", "negative", "micro"],
            "true": ["negative"] * 4,
        }
    )
    table = stage_patients(slides[:3])
    assert table.to_dict("list") == {
        "patient": ["patient_002.zip", "patient_017.zip"],
        "stage": ["pN0(i+)", "pN1"],
    }
    assert list(stage_patients(slides[3:])["patient"]) == ["patient_002.zip"]
    assert list(stage_patients(slides[:3], column="true")["stage"]) == ["pN0", "pN0"]
