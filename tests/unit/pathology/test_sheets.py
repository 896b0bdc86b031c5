import pytest

from medscale.errors import InputError
from medscale.pathology.sheets import check_files_exist, read_slide_sheet

HEADER = "slide,patient,centre,path,annotation,label,split\n"
GOOD = (
    "s1,p1,0,a.tif,,negative,train_network\ns2,p1,0,b.tif,b.xml,macro,train_network\ns3,p2,1,c.tif,,,test\n"
)


@pytest.fixture
def read(tmp_path, root):
    def read(text):
        (tmp_path / "slides.csv").write_bytes(text.encode())
        return read_slide_sheet(tmp_path / "slides.csv", root / "schemas/slides.schema.json")

    return read


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_good_sheet_comes_back_as_text(read, ending):
    sheet = read((HEADER + GOOD).replace("\n", ending))
    assert list(sheet.index) == ["s1", "s2", "s3"]
    assert sheet.at["s3", "label"] == ""
    assert sheet.at["s1", "centre"] == "0"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("s1,p3,0,d.tif,,negative,test", "slide s1 a second time"),
        ("s4,p3,0,a.tif,,negative,test", "path a.tif a second time"),
        ("s4,p1,0,d.tif,,negative,test", "patient p1: found slides in test and train_network"),
        ("s4,p3,0,d.tif,,huge,test", "'huge' is not one of .*; expected negative, itc, micro, macro"),
        ("s4,p3,0,d.tif,,negative,train", "'train' is not one of"),
        ("../s4,p3,0,d.tif,,negative,test", "the slide's name, of letters"),
        ("s4,-p3,0,d.tif,,negative,test", "the patient's name"),
        ("s4,p3,0,-d.tif,,negative,test", "no leading dash"),
        ("s4,p3,0,{x}.tif,,negative,test", "no braces"),
        ("s4,p3,0,,,negative,test", "the image file"),
        ("s4,p3,0,d.tif,d.json,negative,test", "ASAP XML or mask TIFF"),
    ],
)
def test_a_bad_row_is_named_with_its_line(read, row, message):
    with pytest.raises(InputError, match=message) as caught:
        read(HEADER + GOOD + row + "\n")
    assert "line 5" in caught.value.where or "patient p1" in caught.value.where


def test_columns_must_be_known_and_complete(read):
    with pytest.raises(InputError, match=r"unknown columns \['stain'\]"):
        read(HEADER.replace("label", "stain") + GOOD)
    with pytest.raises(InputError, match="0 lines"):
        read(HEADER)
    with pytest.raises(InputError, match="no readable table"):
        read("")


def test_missing_files_are_named_unless_rules_make_them(read, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sheet = read(HEADER + "s1,p1,0,results/demo_data/a.tif,,negative,test\ns2,p2,0,b.tif,,negative,test\n")
    with pytest.raises(InputError, match=r"slide s2: found no file b\.tif"):
        check_files_exist(sheet, "slides.csv", made_by_rules="results/demo_data")
    (tmp_path / "b.tif").touch()
    check_files_exist(sheet, "slides.csv", made_by_rules="results/demo_data")


def test_the_demo_sheet_is_good(root):
    read_slide_sheet(root / "sheets/demo_slides.csv", root / "schemas/slides.schema.json")
