"""Sheets of brain MR and breast ultrasound images."""

import pandas as pd
import pytest

from medscale.__main__ import main
from medscale.errors import InputError
from medscale.files.tables import write_table
from medscale.scans.scan_sheet import divide_scans, survey_scans
from medscale.scans.sheets import (
    check_scans_exist,
    count_leaked,
    find_collection,
    read_scan_sheet,
    split_masks,
)
from tests.unit.scans.picture_files import draw_blobs, write_brains, write_breasts, write_pixels


@pytest.fixture
def schema(root):
    return root / "schemas/scans.schema.json"


def make_scans(groups: dict[str, list[int]]) -> pd.DataFrame:
    """Return surveyed images: of each class, groups of these sizes."""
    rows = [
        (f"{label}_{group}_{one}", f"{label}_{group}_{one}.png", (), label, f"{label}_{group}_0")
        for label, sizes in groups.items()
        for group, size in enumerate(sizes)
        for one in range(size)
    ]
    return pd.DataFrame(rows, columns=["image", "path", "masks", "class", "group"])


def test_a_command_writes_a_sheet_that_reads_back(tmp_path, schema, caplog):
    caplog.set_level("INFO")
    folder = write_breasts(tmp_path / "busi", 5)
    write_pixels(folder / "normal/normal (9).jpg", draw_blobs("normal (1)"))
    output, pairs = tmp_path / "out/scans.csv", tmp_path / "pairs.csv"
    assert main(["scan_sheet", str(folder), "--output", str(output), "--duplicates", str(pairs)]) == 0
    sheet = read_scan_sheet(output, schema)
    assert len(sheet) == 16
    assert find_collection(sheet).name == "breast_ultrasound"
    assert sheet.groupby("class")["split"].nunique().eq(3).all()
    assert sheet.at["normal_9", "group"] == "normal_1"
    assert sheet.at["normal_9", "split"] == sheet.at["normal_1", "split"]
    assert split_masks(sheet.at["benign_2", "masks"]) == (str(folder / "benign/benign (2)_mask.png"),)
    check_scans_exist(sheet, output, "demo/")
    table = pd.read_csv(pairs)
    assert table[["image", "other"]].to_numpy().tolist() == [["normal_1", "normal_9"]]
    assert "0 test images have one in train" in caplog.text


def test_whole_groups_are_drawn_and_classes_keep_their_shares():
    scans = make_scans({"no": [1] * 30 + [5, 5], "yes": [2] * 20})
    sheet = divide_scans(scans, test_share=0.25, validation_share=0.2, seed=3)
    assert sheet.groupby("group")["split"].nunique().eq(1).all()
    assert count_leaked(sheet) == 0
    groups = sheet.drop_duplicates("group").groupby(["class", "split"]).size()
    assert groups["no"].to_dict() == {"test": 8, "train": 18, "validation": 6}
    assert groups["yes"].to_dict() == {"test": 5, "train": 11, "validation": 4}
    assert sheet.equals(divide_scans(scans, test_share=0.25, validation_share=0.2, seed=3))
    assert not sheet.equals(divide_scans(scans, test_share=0.25, validation_share=0.2, seed=4))


def test_without_guard_images_are_drawn_and_the_sheet_says_so(tmp_path, schema):
    scans = make_scans({"no": [4] * 10, "yes": [1] * 10})
    sheet = divide_scans(scans, guard=False)
    assert set(sheet["divided_by"]) == {"image"}
    assert count_leaked(sheet) > 0
    assert (sheet["split"] == "test").sum() == 10
    write_table(sheet, tmp_path / "a.csv")
    assert len(read_scan_sheet(tmp_path / "a.csv", schema)) == 50
    write_table(sheet.assign(divided_by="group"), tmp_path / "a.csv")
    with pytest.raises(InputError, match=r"group no_\d_0: found duplicates of one picture in .* and "):
        read_scan_sheet(tmp_path / "a.csv", schema)


def test_a_group_of_two_classes_counts_for_that_of_most_images():
    scans = make_scans({"no": [1] * 5, "yes": [1] * 5})
    scans.loc[scans["image"].isin(["no_1_0", "yes_0_0", "yes_1_0"]), "group"] = "no_1_0"
    sheet = divide_scans(scans)
    assert sheet.groupby("group")["split"].nunique().eq(1).all()


def test_the_same_pixels_of_two_classes_are_left_out(tmp_path, caplog):
    folder = write_brains(tmp_path, 4)
    write_pixels(folder / "no/N2 again.png", draw_blobs("yes2"))
    write_pixels(folder / "no/N9.jpg", draw_blobs("yes3"))
    scans, pairs = survey_scans(folder)
    assert {"Y2", "N2_again"}.isdisjoint(scans["image"])
    assert caplog.text.count("two classes for one image's pixels") == 2
    # A near duplicate of another class stays, and so does its partner.
    assert pairs[["image", "other"]].to_numpy().tolist() == [["N9", "Y3"]]
    assert "near duplicates of N9 are of the classes no and yes" in caplog.text
    assert scans.set_index("image").at["Y3", "group"] == "N9"


@pytest.mark.parametrize(
    ("sizes", "settings", "reason"),
    [
        ([3, 3], {}, "class yes: found 2 groups; expected 3 at least"),
        ([1, 1], {"guard": False}, "class yes: found 2 images"),
        ([1] * 9, {"test_share": 0.6, "validation_share": 0.4}, "the shares: found 0.6 for test and 0.4"),
        ([1] * 9, {"test_share": -0.1}, "the shares: found -0.1 for test"),
        ([1] * 3, {"test_share": 0.6, "validation_share": 0.3}, "none left for train"),
    ],
)
def test_what_cannot_be_divided_is_explained(sizes, settings, reason):
    with pytest.raises(InputError, match=reason):
        divide_scans(make_scans({"no": [1] * 9, "yes": sizes}), **settings)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda sheet: sheet.drop(columns="group"), "missing columns"),
        (lambda sheet: sheet.replace("yes", "perhaps"), "no or yes for brain MRI"),
        (
            lambda sheet: sheet.replace("yes", "benign"),
            "found the classes benign, no; expected two or more of",
        ),
        (lambda sheet: sheet[sheet["class"] == "yes"], "found the classes yes; expected two or more"),
        (lambda sheet: sheet.replace({"split": {"test": "train"}}), "none of them in test"),
        (
            lambda sheet: sheet[(sheet["class"] == "no") | (sheet["split"] == "test")],
            "no image of class yes in",
        ),
        (lambda sheet: sheet.assign(image="one"), "image one a second time"),
        (lambda sheet: sheet.assign(path="one.png"), "path one.png a second time"),
        (lambda sheet: sheet.assign(path="one.gif"), "the image as PNG or JPEG"),
        (lambda sheet: sheet.assign(masks="one.png;"), "joined by semicolons"),
        (
            lambda sheet: sheet.assign(masks="one.png;two.png"),
            r"line 3: found the mask one\.png a second time",
        ),
        (
            lambda sheet: sheet.assign(divided_by=["image"] + ["group"] * 9),
            "found group and image in the column",
        ),
    ],
)
def test_a_sheet_that_was_spoilt_is_refused(tmp_path, schema, change, reason):
    write_table(change(divide_scans(make_scans({"no": [1] * 5, "yes": [1] * 5}))), tmp_path / "a.csv")
    with pytest.raises(InputError, match=reason):
        read_scan_sheet(tmp_path / "a.csv", schema)


def test_missing_files_are_named_unless_rules_make_them(tmp_path):
    sheet = divide_scans(make_scans({"no": [1] * 3, "yes": [1] * 3}))
    with pytest.raises(InputError, match=r"a\.csv, image no_0_0: found no file no_0_0\.png"):
        check_scans_exist(sheet, "a.csv", "demo/")
    check_scans_exist(sheet.assign(path="demo/one.png"), "a.csv", "demo/")


def test_real_brains_leak_without_the_guard(real_data, tmp_path, schema):
    scans, pairs = survey_scans(real_data / "brain_mri_2d")
    assert (len(scans), scans["group"].nunique(), len(pairs)) == (168, 136, 48)
    assert count_leaked(divide_scans(scans)) == 0
    assert count_leaked(divide_scans(scans, guard=False)) > 0


def test_a_folder_that_cannot_be_used_makes_no_sheet(tmp_path, caplog):
    assert main(["scan_sheet", str(tmp_path), "--output", str(tmp_path / "a.csv")]) == 1
    assert "found no folders" in caplog.text
    assert not (tmp_path / "a.csv").exists()
