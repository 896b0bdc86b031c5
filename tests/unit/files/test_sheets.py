import pandas as pd
import pytest

from medscale.errors import InputError
from medscale.files.sheets import check_columns, check_patients, check_unique, read_text_table


def test_cells_stay_text(tmp_path):
    (tmp_path / "a.csv").write_bytes("\ufeffscan,number\r\nNA,007\r\n,\r\n".encode())
    assert read_text_table(tmp_path / "a.csv", "").to_dict("list") == {
        "scan": ["NA", ""],
        "number": ["007", ""],
    }
    with pytest.raises(InputError, match=r"no readable table .*Look here\."):
        read_text_table(tmp_path / "missing.csv", "Look here.")


def test_faults_are_named_in_the_words_of_the_sheet():
    sheet = pd.DataFrame({"scan": ["a", "b"], "patient": ["p", "p"], "split": ["train", "test"]})
    check_columns(sheet, ["split", "scan", "patient"], "a.csv")
    with pytest.raises(InputError, match=r"unknown columns \['split'\], missing columns \['age'\]"):
        check_columns(sheet, ["scan", "patient", "age"], "a.csv")
    with pytest.raises(InputError, match=r"line 3: found patient p a second time; expected each scan once"):
        check_unique(sheet, "patient", "a.csv")
    with pytest.raises(InputError, match="patient p: found scans in test and train"):
        check_patients(sheet, "a.csv")
