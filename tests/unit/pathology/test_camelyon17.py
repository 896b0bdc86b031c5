import pytest

from medscale.__main__ import main
from medscale.errors import InputError
from medscale.files.tables import read_json
from medscale.pathology.camelyon17 import make_camelyon17_sheet
from medscale.pathology.sheets import read_slide_sheet

LABELS = (
    "patient,stage\npatient_000.zip,pN0\npatient_000_node_0.tif,negative\npatient_000_node_1.tif,negative\n"
)
NEW_LABELS = "patient,stage,center\npatient_021.zip,pN1,1\npatient_021_node_0.tif,macro,1\n"


def _touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_the_old_layout(tmp_path, ending):
    _touch(
        tmp_path,
        "training/centre_3/patient_000_node_0.tif",
        "training/centre_3/patient_000_node_1.tif",
        "lesion_annotations/patient_000_node_1.xml",
    )
    (tmp_path / "training/stage_labels.csv").write_bytes(LABELS.replace("\n", ending).encode())
    sheet = make_camelyon17_sheet(tmp_path)
    assert list(sheet["slide"]) == ["patient_000_node_0", "patient_000_node_1"]
    assert list(sheet["centre"]) == ["3", "3"]
    assert list(sheet["label"]) == ["negative", "negative"]
    assert sheet["annotation"].iloc[1].endswith("lesion_annotations/patient_000_node_1.xml")
    assert sheet["annotation"].iloc[0] == ""


def test_the_new_layout_with_masks_and_unlabelled_test_patients(tmp_path):
    _touch(
        tmp_path,
        "images/patient_021_node_0.tif",
        "images/patient_163_node_2.tif",
        "masks/patient_021_node_0_mask.tif",
    )
    (tmp_path / "stages.csv").write_text(NEW_LABELS)
    sheet = make_camelyon17_sheet(tmp_path).set_index("slide")
    assert sheet.at["patient_021_node_0", "annotation"].endswith("masks/patient_021_node_0_mask.tif")
    assert sheet.at["patient_021_node_0", "split"] == "train_network"
    assert sheet.at["patient_021_node_0", "centre"] == "1"
    assert sheet.at["patient_163_node_2", "split"] == "test"
    assert sheet.at["patient_163_node_2", "label"] == ""
    assert sheet.at["patient_163_node_2", "centre"] == "3"


def test_a_hundred_patients_are_divided_by_centre_and_annotation(tmp_path):
    lines = ["patient,stage"]
    for patient in range(100):
        name = f"patient_{patient:03d}"
        lines += [f"{name}.zip,pN0"] + [f"{name}_node_{node}.tif,negative" for node in range(5)]
        _touch(tmp_path, *(f"images/{name}_node_{node}.tif" for node in range(5)))
        if patient % 2:
            _touch(tmp_path, f"annotations/{name}_node_0.xml")
    (tmp_path / "stage_labels.csv").write_text("\n".join(lines))
    sheet = make_camelyon17_sheet(tmp_path, seed=1)
    assert sheet.groupby("patient")["split"].nunique().max() == 1
    patients = sheet.groupby("patient").first()
    test = patients[patients["split"] == "test"]
    assert test.groupby("centre").size().to_dict() == dict.fromkeys("01234", 4)
    assert patients["split"].value_counts().to_dict() == {
        "train_network": 40,
        "train_staging": 40,
        "test": 20,
    }
    assert make_camelyon17_sheet(tmp_path, seed=1).equals(sheet)
    assert not make_camelyon17_sheet(tmp_path, seed=2).equals(sheet)
    fixed = make_camelyon17_sheet(tmp_path, splits={"patient_004": "train_network"})
    assert set(fixed[fixed["patient"] == "patient_004"]["split"]) == {"train_network"}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["stage_labels.csv", "images/other.tif"], "no slide"),
        (["stage_labels.csv", "training/patient_000.zip"], "Unpack the zip files"),
        (["images/patient_000_node_0.tif"], "0 label files"),
        (["images/patient_000_node_0.tif", "stages.csv", "a/stages.csv"], "2 label files"),
        (["a/patient_000_node_0.tif", "b/patient_000_node_0.tif"], "each slide once"),
    ],
)
def test_folders_that_cannot_be_used_are_explained(tmp_path, files, message):
    _touch(tmp_path, *files)
    with pytest.raises(InputError, match=message):
        make_camelyon17_sheet(tmp_path)


def test_the_command_writes_a_sheet_that_is_accepted(tmp_path, real_data, root):
    output = tmp_path / "slides.csv"
    fixed = ["patient_910=train_network", "patient_911=train_staging", "patient_912=test"]
    options = [text for pair in fixed for text in ("--split", pair)]
    assert main(["camelyon17", str(real_data / "camelyon_mosaic"), "--output", str(output), *options]) == 0
    sheet = read_slide_sheet(output, root / "schemas/slides.schema.json")
    assert sheet.groupby("split").size().to_dict() == {"test": 5, "train_network": 5, "train_staging": 5}
    assert (sheet["annotation"] != "").sum() == 5
    record = read_json(f"{output}.provenance.json")
    assert len(record["label_file_sha256"]) == 64


def test_the_revision_of_the_known_label_file_is_recognised(tmp_path, real_data):
    _touch(tmp_path, "images/patient_000_node_0.tif")
    (tmp_path / "stage_labels.csv").write_bytes((real_data / "camelyon/stage_labels.csv").read_bytes())
    assert main(["camelyon17", str(tmp_path), "--output", str(tmp_path / "slides.csv")]) == 0
    assert read_json(tmp_path / "slides.csv.provenance.json")["label_file_revision"] in ("2017", "2019")


def test_the_command_explains_a_wrong_folder(tmp_path, caplog):
    assert main(["camelyon17", str(tmp_path), "--output", str(tmp_path / "slides.csv")]) == 1
    assert "found no slide" in caplog.text
    assert not (tmp_path / "slides.csv").exists()
