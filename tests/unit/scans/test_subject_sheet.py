"""Subject sheets from tables of participants."""

import pandas as pd
import pytest

from medscale.__main__ import main
from medscale.errors import InputError
from medscale.scans.subject_sheet import ClassRule, make_subject_sheet
from medscale.scans.subjects import read_subject_sheet, usable_subjects


@pytest.fixture
def schema(root):
    return root / "schemas/subjects.schema.json"


@pytest.fixture
def folder(tmp_path):
    """Twenty listed subjects; s7 has no T1, and the age of s3 is not known."""
    lines = ["participant_id\tAge\tGender\tdiagnosis"]
    for number in range(20):
        age = "n/a" if number == 3 else 60 + number + 0.25
        lines.append(
            f"s {number}\t{age}\t{'female' if number % 4 < 2 else 'M'}\t{'AD' if number % 2 else 'CN'}"
        )
        for kind in ("t1", "fl"):
            if (number, kind) != (7, "t1"):
                (tmp_path / kind).mkdir(exist_ok=True)
                (tmp_path / kind / f"s {number}.nii.gz").touch()
    (tmp_path / "participants.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    return tmp_path


def _images(folder):
    return {"t1": f"{folder}/t1/{{participant_id}}.nii.gz", "flair": f"{folder}/fl/{{participant_id}}.nii.gz"}


def _make(folder, rule, **settings):
    sheet = make_subject_sheet(folder / "participants.tsv", _images(folder), rule, **settings)
    return sheet.set_index("subject", drop=False)


def test_a_command_writes_a_sheet_that_reads_back(folder, schema, caplog):
    caplog.set_level("INFO")
    output = folder / "out/subjects.csv"
    options = [part for name, pattern in _images(folder).items() for part in ("--image", f"{name}={pattern}")]
    table = str(folder / "participants.tsv")
    assert main(["subject_sheet", table, *options, "--class", "diagnosis", "--output", str(output)]) == 0
    sheet = read_subject_sheet(output, schema, ["t1", "flair"], ["age", "sex"])
    assert len(sheet) == 20
    assert sheet.loc["s_4", ["t2", "age", "sex", "class"]].tolist() == ["", "64.25", "F", "CN"]
    assert sheet.at["s_4", "flair"] == str(folder / "fl/s 4.nii.gz")
    assert sheet.at["s_3", "age"] == ""
    assert "20 subjects" in caplog.text
    assert f"s_7 has no image: no file {folder / 't1/s 7.nii.gz'}" in caplog.text
    assert sheet.at["s_7", "split"] == "train"
    assert len(usable_subjects(sheet, ["t1", "flair"], ["age"])) == 19


def test_classes_are_divided_each_by_itself(folder):
    sheet = _make(folder, ClassRule("diagnosis"), test_share=0.3, validation_share=0.2, seed=1)
    counts = sheet.groupby(["class", "split"]).size().to_dict()
    # Nine of AD have all images: 3 for test, 2 for validation, 4 for train, where s7 joins them.
    assert counts == {
        ("AD", "test"): 3,
        ("AD", "train"): 5,
        ("AD", "validation"): 2,
        ("CN", "test"): 3,
        ("CN", "train"): 5,
        ("CN", "validation"): 2,
    }
    again = _make(folder, ClassRule("diagnosis"), test_share=0.3, validation_share=0.2, seed=1)
    assert sheet.equals(again)
    others = [_make(folder, ClassRule("diagnosis"), seed=seed) for seed in range(3)]
    assert not others[0].equals(others[1]) or not others[0].equals(others[2])
    assert "validation" not in set(_make(folder, ClassRule("diagnosis"), validation_share=0)["split"])


def test_a_number_makes_two_classes_and_is_not_told(folder, caplog):
    sheet = _make(folder, ClassRule("Age", 70.25))
    assert sheet["class"].value_counts().to_dict() == {"not_above": 10, "above": 9}
    assert sheet.at["s_10", "class"] == "not_above"
    assert "left out for want of a class: s_3" in caplog.text
    assert set(sheet["age"]) == {""}
    assert set(sheet["sex"]) == {"F", "M"}
    assert "age stays empty: the classes are made from it" in caplog.text
    assert set(_make(folder, ClassRule("Gender"))["sex"]) == {""}


def _table(tmp_path, text):
    (tmp_path / "a.csv").write_text(text)
    return tmp_path / "a.csv"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ID,age,class\n", "found no lines"),
        ("name,age,class\na,1,A\n", "columns name, age, class; expected a column subject or participant_id"),
        ("ID,age,class\na,1,A\na,2,B\n", r"line 3: found the subject 'a' a second time"),
        ("ID,age,class\n?,1,A\n", r"line 2: found the subject '\?'; expected"),
        ("ID,age,class\na,old,A\n", "a.csv, age: found 'old'; expected years"),
        ("ID,age,class\na,200,A\n", "found '200'; expected years"),
        ("ID,sex,class\na,1,A\n", "found '1'; expected F or M.* Write F or M in place of codes"),
        ("ID,age,class\na,1,1\n", "found '1'; expected a class of letters"),
        ("ID,age,class\na,1,A\nb,2,n/a\n", "found the classes A; expected two"),
        ("ID,age,group\na,1,A\n", "found no column class; expected one of ID, age, group"),
        ("ID,age,class\na,1,A\nb,2,B\n", "nobody of class A with all images"),
    ],
)
def test_tables_that_cannot_be_understood_are_refused(tmp_path, text, reason):
    with pytest.raises(InputError, match=reason):
        make_subject_sheet(_table(tmp_path, text), {"t1": "{ID}.nii"}, ClassRule("class"))


def test_options_that_do_not_fit_the_table_are_refused(folder, tmp_path, caplog):
    path = folder / "participants.tsv"
    with pytest.raises(
        InputError, match=r"t1=t1/x\.nii: found the columns none in braces; expected one or m"
    ):
        make_subject_sheet(path, {"t1": "t1/x.nii"}, ClassRule("diagnosis"))
    with pytest.raises(InputError, match="found the columns MRID in braces"):
        make_subject_sheet(path, {"t1": "{MRID}.nii"}, ClassRule("diagnosis"))
    with pytest.raises(InputError, match="'pd'; expected one of t1, t2, flair"):
        make_subject_sheet(path, {"pd": "{Age}.nii"}, ClassRule("diagnosis"))
    with pytest.raises(InputError, match=r"diagnosis: found could not convert .* Use --class instead"):
        make_subject_sheet(path, _images(folder), ClassRule("diagnosis", 3))
    with pytest.raises(InputError, match=r"none\.csv: found no readable table"):
        make_subject_sheet(tmp_path / "none.csv", _images(folder), ClassRule("diagnosis"))
    command = ["subject_sheet", str(path), "--image", "t1={Age}.nii", "--output", str(tmp_path / "b.csv")]
    assert main([*command, "--class-above", "Age"]) == 1
    assert "found 'Age'; expected COLUMN=NUMBER" in caplog.text
    assert main([*command, "--class-above", "Age=old"]) == 1
    assert "found 'old'; expected a number" in caplog.text


def test_two_subjects_are_too_few_to_divide(tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.nii").touch()
    table = _table(tmp_path, "ID,class\na,A\nb,A\nc,B\n")
    with pytest.raises(InputError, match="none left for train"):
        make_subject_sheet(table, {"t1": f"{tmp_path}/{{ID}}.nii"}, ClassRule("class"), validation_share=0)


def test_real_participants_without_images_are_listed_and_skipped(real_data, tmp_path, schema):
    folder = real_data / "brain_mri_3d/nichart_demo"
    images = {"t1": f"{folder}/t1/{{MRID}}_T1.nii.gz", "flair": f"{folder}/fl/{{MRID}}_FL.nii.gz"}
    sheet = make_subject_sheet(folder / "participants.csv", images, ClassRule("Sex"), validation_share=0)
    sheet.to_csv(tmp_path / "a.csv", index=False)
    read = read_subject_sheet(tmp_path / "a.csv", schema, ["t1", "flair"], ["age"])
    assert len(read) == 23
    usable = usable_subjects(read, ["t1", "flair"], ["age"])
    assert sorted(usable.index) == [f"Subj{n}" for n in (1, 13, 18, 2, 5, 6, 8, 9)]
    assert usable.groupby("split")["class"].nunique().to_dict() == {"test": 2, "train": 2}
    folder = real_data / "brain_mri_3d/ixi_ds2mm"
    images = {"t1": f"{folder}/nifti/{{MRID}}-T1_ds.nii.gz"}
    sheet = make_subject_sheet(folder / "IXI_demog_n10.csv", images, ClassRule("Age", 30), validation_share=0)
    assert len(usable_subjects(sheet.set_index("subject", drop=False), ["t1"], ["sex"])) == 7
    assert pd.unique(sheet["age"]).tolist() == [""]
