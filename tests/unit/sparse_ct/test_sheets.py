import pandas as pd
import pytest

from medscale.errors import InputError
from medscale.sparse_ct.png_slices import PngScale
from medscale.sparse_ct.sheets import check_images_exist, choose_shown, png_scale, read_ct_sheet

HEADER = "image,patient,path,split,hu_low,hu_high,pixel_mm\n"
GOOD = (
    "a1,p1,a.dcm,train,,,\na2,p1,series,train,,,\n"
    "b1,p2,b.nii.gz,validation,,,\nc1,p3,c.png,test,-1000,400,0.78\n"
)


@pytest.fixture
def read(tmp_path, root):
    def read(text):
        (tmp_path / "ct_images.csv").write_bytes(text.encode())
        return read_ct_sheet(tmp_path / "ct_images.csv", root / "schemas/ct_images.schema.json")

    return read


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_good_sheet_comes_back_as_text_by_image(read, ending):
    sheet = read((HEADER + GOOD).replace("\n", ending))
    assert list(sheet.index) == ["a1", "a2", "b1", "c1"]
    assert sheet.at["c1", "pixel_mm"] == "0.78"
    assert png_scale(sheet.loc["a1"]) is None
    assert png_scale(sheet.loc["c1"]) == PngScale(-1000, 400, 0.78)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a1,p4,d.dcm,test,,,", "image a1 a second time; expected each image once"),
        ("d1,p4,a.dcm,test,,,", "path a.dcm a second time"),
        ("d1,p1,d.dcm,test,,,", "patient p1: found images in test and train"),
        ("d1,p4,d.dcm,training,,,", "'training' is not one of .*; expected train, validation or test"),
        ("../d1,p4,d.dcm,test,,,", "the image's name, of letters"),
        ("d1,p 4,d.dcm,test,,,", "the patient's name, of letters"),
        ("d1,p4,-d.dcm,test,,,", "no leading dash"),
        ("d1,p4,{d}.dcm,test,,,", "no braces"),
        ("d1,p4,d.png,test,low,400,0.78", "what black means in a PNG"),
        ("d1,p4,d.png,test,-1000,400,-0.78", "edge of a PNG's pixel"),
        ("d1,p4,d.png,test,-1000,,0.78", "d.png with hu_low, pixel_mm; expected hu_low, hu_high, pixel_mm"),
        ("d1,p4,d.png,test,,,", "d.png with no scale"),
        ("d1,p4,d.dcm,test,-1000,400,0.78", "none of them for other files"),
        ("d1,p4,d.PNG,test,400,-1000,0.78", "hu_low below hu_high"),
    ],
)
def test_a_bad_row_is_named(read, row, message):
    with pytest.raises(InputError, match=message) as caught:
        read(HEADER + GOOD + row + "\n")
    assert any(place in caught.value.where for place in ("line 6", "patient p1", "scale of a PNG"))


def test_every_split_needs_a_patient(read):
    with pytest.raises(InputError, match="1 patients, none of them in validation or test"):
        read(HEADER + "a1,p1,a.dcm,train,,,\na2,p1,b.dcm,train,,,\n")


def test_columns_must_be_known_and_complete(read):
    with pytest.raises(InputError, match=r"unknown columns \['scanner'\], missing columns \['split'\]"):
        read(HEADER.replace("split", "scanner") + GOOD)
    with pytest.raises(InputError, match="0 lines"):
        read(HEADER)
    with pytest.raises(InputError, match="python -m medscale ct_sheet"):
        read("")


def test_missing_images_are_named_unless_rules_make_them(read, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sheet = read(HEADER + GOOD.replace("c.png", "results/demo_data/c.png"))
    (tmp_path / "series").mkdir()
    (tmp_path / "a.dcm").touch()
    with pytest.raises(InputError, match=r"image b1: found no file or folder b\.nii\.gz"):
        check_images_exist(sheet, "ct_images.csv", made_by_rules="results/demo_data")
    (tmp_path / "b.nii.gz").touch()
    check_images_exist(sheet, "ct_images.csv", made_by_rules="results/demo_data")


def test_pictures_show_the_first_test_image_or_the_one_that_is_named():
    sheet = pd.DataFrame({"split": ["train", "test", "test"]}, index=["a", "b", "c"])
    assert choose_shown(sheet, None, "ct.csv") == "b"
    assert choose_shown(sheet, "a", "ct.csv") == "a"
    with pytest.raises(InputError, match=r"figures.image: found 'd'.*image in ct.csv"):
        choose_shown(sheet, "d", "ct.csv")
