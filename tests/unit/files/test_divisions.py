import pandas as pd
import pytest

from medscale.errors import InputError
from medscale.files.divisions import divide_patients

TEN = [f"p{number}" for number in range(10)]


def test_patients_are_divided_by_shares():
    split = divide_patients(TEN, {}, test_share=0.2, validation_share=0.1, seed=0, name="them")
    assert pd.Series(split).value_counts().to_dict() == {"train": 7, "test": 2, "validation": 1}
    assert divide_patients(TEN, {}, 0.2, 0.1, seed=0, name="them") == split
    assert divide_patients(TEN, {}, 0.2, 0.1, seed=1, name="them") != split
    fixed = divide_patients(TEN, {"p3": "test", "p4": "validation"}, 0.0, 0.0, seed=0, name="them")
    assert {name for name, chosen in fixed.items() if chosen != "train"} == {"p3", "p4"}
    assert (fixed["p3"], fixed["p4"]) == ("test", "validation")


def test_small_shares_still_fill_every_split():
    assert sorted(divide_patients(["a", "b", "c"], {}, 0.01, 0.01, seed=0, name="them").values()) == [
        "test",
        "train",
        "validation",
    ]


def test_a_split_that_is_not_needed_may_stay_empty():
    needed = ("train", "test")
    assert set(divide_patients(TEN, {}, 0.2, 0.0, 0, "them", needed).values()) == set(needed)
    assert "validation" in divide_patients(TEN, {}, 0.2, 0.01, 0, "them", needed).values()
    assert "validation" in divide_patients(TEN, {}, 0.2, 0.0, 0, "them").values()
    fixed = {"a": "train", "b": "test"}
    assert divide_patients(["a", "b"], fixed, 0.2, 0.1, 0, "them", needed) == fixed


@pytest.mark.parametrize(
    ("patients", "fixed", "message"),
    [
        (["a"], {}, "1 of them, none left for train or validation"),
        (["a", "b"], {}, "2 of them, none left for train"),
        (TEN, dict.fromkeys(TEN, "train"), "none left for validation or test"),
        (TEN, {"p11": "test"}, "p11=test; expected a patient who was found"),
        (TEN, {"p1": "tests"}, "p1=tests; expected .* one of train, validation, test"),
    ],
)
def test_patients_that_cannot_be_divided_are_refused(patients, fixed, message):
    with pytest.raises(InputError, match=message):
        divide_patients(patients, fixed, 0.2, 0.1, seed=0, name="them")
