"""Subject sheets, and which subjects can be used."""

import pandas as pd
import pytest

from medscale.errors import InputError
from medscale.files.tables import write_table
from medscale.scans.subjects import COLUMNS, list_subject_classes, read_subject_sheet, usable_subjects

CHANNELS, SCORES = ["t1", "flair"], ["age", "sex"]


@pytest.fixture
def schema(root):
    return root / "schemas/subjects.schema.json"


def make_sheet(folder="made", splits=("train", "train", "validation", "test")):
    """Eight subjects, controls and patients in turn."""
    rows = []
    for number in range(8):
        paths = f"{folder}/s{number}_t1.nii.gz", "", f"{folder}/s{number}_flair.nii"
        scores = f"{60 + number}.5", "FM"[number // 2 % 2]
        rows.append((f"s{number}", *paths, *scores, ("control", "patient")[number % 2], splits[number // 2]))
    return pd.DataFrame(rows, columns=COLUMNS)


def read(sheet, tmp_path, schema, channels=CHANNELS, scores=SCORES):
    write_table(sheet, tmp_path / "a.csv")
    return read_subject_sheet(tmp_path / "a.csv", schema, channels, scores)


def test_a_sheet_reads_back_as_text(tmp_path, schema):
    sheet = read(make_sheet(), tmp_path, schema)
    assert sheet.index.tolist() == [f"s{n}" for n in range(8)]
    assert sheet.loc["s1"].tolist() == make_sheet().iloc[1].tolist()
    assert list_subject_classes(sheet) == ["control", "patient"]
    assert len(read(make_sheet().replace("validation", "train"), tmp_path, schema)) == 8
    assert len(read(make_sheet().assign(age="", sex=""), tmp_path, schema, scores=[])) == 8


@pytest.mark.parametrize("age", ["0", "7", "71.5", "99", "100", "149.9", ""])
def test_ages_that_people_have(tmp_path, schema, age):
    assert read(make_sheet().assign(age=age), tmp_path, schema).at["s3", "age"] == age


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda sheet: sheet.drop(columns="t2"), r"missing columns \['t2'\]"),
        (lambda sheet: sheet.assign(pd="1"), r"unknown columns \['pd'\]"),
        (lambda sheet: sheet.assign(age="-3"), r"line 2, age: found '-3' .* years, such as 71"),
        (lambda sheet: sheet.assign(age="150"), "years, such as 71"),
        (lambda sheet: sheet.assign(age="n/a"), "empty where unknown"),
        (lambda sheet: sheet.assign(sex="male"), "F or M; empty where unknown"),
        (lambda sheet: sheet.assign(t1="scan.mgz"), r"T1 weighted volume as NIfTI"),
        (lambda sheet: sheet.replace("patient", "2"), "of letters and _"),
        (lambda sheet: sheet.assign(subject="s1"), "line 3: found subject s1 a second time"),
        (lambda sheet: sheet.assign(flair="one.nii"), r"line 3: found flair one\.nii a second time"),
        (
            lambda sheet: sheet.replace("patient", "control"),
            "8 subjects of the classes control; expected two",
        ),
        (lambda sheet: sheet.replace("test", "train"), "none of them in test"),
        (
            lambda sheet: sheet[(sheet["class"] == "control") | (sheet["split"] == "test")],
            "no subject of class patient in train",
        ),
    ],
)
def test_a_sheet_that_was_spoilt_is_refused(tmp_path, schema, change, reason):
    with pytest.raises(InputError, match=reason):
        read(change(make_sheet()), tmp_path, schema)


def test_channels_and_scores_that_are_none_are_refused(tmp_path, schema):
    for channels in ([], ["t1", "pd"], ["t1", "t1"]):
        with pytest.raises(InputError, match=r"volumes\.channels: .* some of t1, t2, flair, each once"):
            read(make_sheet(), tmp_path, schema, channels=channels)
    with pytest.raises(InputError, match=r"volumes\.scores: found \['height'\]; expected some of age, sex"):
        read(make_sheet(), tmp_path, schema, scores=["height"])


@pytest.fixture
def present(tmp_path, schema):
    """A sheet with files, apart from the T1 of s0, and with an empty cell for the FLAIR of s5."""
    sheet = make_sheet(tmp_path)
    sheet.loc[5, "flair"] = ""
    for name in [*sheet["t1"][1:], *filter(None, sheet["flair"])]:
        open(name, "w").close()
    return read(sheet, tmp_path, schema)


def test_subjects_without_images_are_named_and_skipped(present, caplog):
    usable = usable_subjects(present, CHANNELS, SCORES, path="a.csv")
    assert usable.index.tolist() == ["s1", "s2", "s3", "s4", "s6", "s7"]
    assert "a.csv: left out for want of an image: s0 (t1), s5 (flair)" in caplog.text


def test_only_the_channels_that_are_looked_at_are_needed(present):
    assert len(usable_subjects(present, ["flair"], SCORES)) == 7
    assert len(usable_subjects(present.drop("s5"), ["flair"], SCORES, "refuse")) == 7


def test_subjects_without_images_are_named_and_refused(present):
    with pytest.raises(InputError, match=r"a\.csv: found no image: s0 \(t1\), s5 \(flair\); expected images"):
        usable_subjects(present, CHANNELS, SCORES, "refuse", path="a.csv")


def test_images_that_rules_make_need_not_be_there(present, tmp_path):
    assert len(usable_subjects(present, CHANNELS, SCORES, made_by_rules=f"{tmp_path}/")) == 7
    assert len(usable_subjects(present, CHANNELS, SCORES, made_by_rules="results/")) == 6


def test_who_is_left_must_be_enough(present):
    learnt = present["t1"].where(present["split"] != "test", "")
    with pytest.raises(InputError, match=r"the subjects with images: found .* none of them in test"):
        usable_subjects(present.assign(t1=learnt), CHANNELS, SCORES)
    with pytest.raises(InputError, match="0 subjects of the classes none; expected two classes"):
        usable_subjects(present, ["t2"], SCORES)
    kept = present["t1"].where((present["split"] != "train") | (present["class"] == "control"), "")
    with pytest.raises(InputError, match="no subject of class patient in train"):
        usable_subjects(present.assign(t1=kept), CHANNELS, SCORES)


def test_missing_scores_are_named_and_kept_or_refused(present, caplog):
    sheet = present.drop(["s0", "s5"])
    sheet.loc["s1", "age"] = sheet.loc["s6", "age"] = sheet.loc["s6", "sex"] = ""
    assert usable_subjects(sheet, CHANNELS, SCORES).equals(sheet)
    assert "the mean stands for them: s1 (age), s6 (age, sex)" in caplog.text
    with pytest.raises(InputError, match=r"no score: s1 \(age\), s6 \(age, sex\); expected age and sex of"):
        usable_subjects(sheet, CHANNELS, SCORES, missing_scores="refuse")
    assert usable_subjects(sheet.drop("s1"), CHANNELS, ["sex"]).index.tolist() == [
        "s2",
        "s3",
        "s4",
        "s6",
        "s7",
    ]
    usable_subjects(sheet, CHANNELS, [], missing_scores="refuse")
    train = sheet["split"] == "train"
    with pytest.raises(InputError, match="found no sex of any subject in train"):
        usable_subjects(sheet.assign(sex=sheet["sex"].where(~train, "")), CHANNELS, SCORES)
