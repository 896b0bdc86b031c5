import pandas as pd
import pytest

from medscale.errors import InputError
from medscale.kits19.sheets import check_cases_exist, choose_shown_case, read_case_sheet

HEAD = "case,imaging,segmentation,split\n"
GOOD = (
    "case_00000,a/imaging.nii.gz,a/segmentation.nii.gz,train\n"
    "case_00120,b/imaging.nii.gz,b/segmentation.nii.gz,validation\n"
    "case_00210,c/imaging.nii.gz,,test\n"
    "case_00211,d/imaging.nii.gz,,test\n"
)


@pytest.fixture
def read(tmp_path, root):
    def read(text):
        (tmp_path / "cases.csv").write_text(text)
        return read_case_sheet(tmp_path / "cases.csv", root / "schemas/kits19_cases.schema.json")

    return read


def test_a_good_sheet(read):
    sheet = read(HEAD + GOOD)
    assert list(sheet.index) == ["case_00000", "case_00120", "case_00210", "case_00211"]
    assert sheet.at["case_00210", "segmentation"] == ""


def test_there_may_be_no_validation_case(read):
    assert set(read(HEAD + GOOD.replace("validation\n", "train\n"))["split"]) == {"train", "test"}


@pytest.mark.parametrize("name", ["sheets/demo_kits19.csv", "tests/tiny_kits19.csv"])
def test_the_demo_sheets_are_good(root, name):
    sheet = read_case_sheet(root / name, root / "schemas/kits19_cases.schema.json")
    assert (sheet["segmentation"] != "").all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD, r"missing columns \[\], 0 lines"),
        ("case,imaging,split\n" + GOOD, r"missing columns \['segmentation'\]"),
        (HEAD + GOOD.replace("case_00120", "case_00000"), "line 3: found case case_00000 a second time"),
        (HEAD + GOOD.replace("b/im", "a/im"), "line 3: found imaging a/imaging.nii.gz a second time"),
        (HEAD + GOOD.replace("b/seg", "a/seg"), "line 3: found segmentation a/.* a second time"),
        (HEAD + GOOD.replace("train", "training"), "line 2, split"),
        (HEAD + GOOD.replace("a/imaging.nii.gz", "a/imaging.png"), "line 2, imaging"),
        (HEAD + GOOD.replace("a/imaging.nii.gz", ""), "line 2, imaging"),
        (HEAD + GOOD.replace("case_00000", "case 0"), "line 2, case"),
        (HEAD + GOOD.replace("a/segmentation.nii.gz", ""), "line 2: found case case_00000 in train without"),
        (HEAD + GOOD.replace("b/segmentation.nii.gz", ""), "line 3: found case case_00120 in validation"),
        (HEAD + GOOD.replace("train\n", "validation\n"), "4 cases, none of them in train"),
    ],
)
def test_bad_sheets_are_explained(read, text, message):
    with pytest.raises(InputError, match=message):
        read(text)


def test_missing_files_are_named_before_any_job(read, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sheet = read(HEAD + GOOD.replace("a/", "results/demo/"))
    (tmp_path / "b").mkdir()
    (tmp_path / "b/imaging.nii.gz").touch()
    with pytest.raises(InputError, match=r"case case_00120: found no file b/segmentation\.nii\.gz"):
        check_cases_exist(sheet, "cases.csv", "results/demo")
    check_cases_exist(sheet.head(1), "cases.csv", "results/demo")


def test_pictures_show_a_labelled_test_case():
    columns = {"split": ["train", "test", "test", "test"], "segmentation": ["a", "", "c", "d"]}
    sheet = pd.DataFrame(columns, index=["a", "b", "c", "d"])
    assert choose_shown_case(sheet, None, "cases.csv") == "c"
    assert choose_shown_case(sheet, "d", "cases.csv") == "d"
    for name in ("a", "b", "e"):
        with pytest.raises(InputError, match=r"figures.case: found .*cases.csv"):
            choose_shown_case(sheet, name, "cases.csv")
    with pytest.raises(InputError, match="no test case"):
        choose_shown_case(sheet.iloc[:2], None, "cases.csv")
