import pandas as pd
import pytest

from medscale.errors import InputError
from medscale.scans.sheets import check_in_sheet, list_classes, list_tumour_free, most_frequent


def _sheet(*classes):
    return pd.DataFrame({"image": [f"i{number}" for number in range(len(classes))], "class": classes})


def test_classes_come_in_the_order_of_their_collection():
    assert list_classes(_sheet("malignant", "benign", "normal")) == ["normal", "benign", "malignant"]
    assert list_classes(_sheet("yes", "no", "yes")) == ["no", "yes"]
    assert list_classes(_sheet("malignant", "benign")) == ["benign", "malignant"]


def test_classes_without_tumour_are_told_apart():
    assert list_tumour_free(_sheet("malignant", "benign", "normal")) == ["normal"]
    assert list_tumour_free(_sheet("yes", "no")) == ["no"]
    assert list_tumour_free(_sheet("malignant", "benign")) == []


def test_the_most_frequent_class_is_the_first_of_equal_ones():
    assert most_frequent(pd.Series(["yes", "no", "no"])) == "no"
    assert most_frequent(pd.Series(["yes", "no", "no", "yes"])) == "yes"


def test_images_that_the_sheet_does_not_know_are_named():
    check_in_sheet(["i0"], _sheet("yes", "no"))
    check_in_sheet([], _sheet("yes", "no"))
    with pytest.raises(InputError, match="image b: found no line of the sheet for it"):
        check_in_sheet(["i0", "c", "b"], _sheet("yes", "no"))
