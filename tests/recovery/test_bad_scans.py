"""What is wrong with scans is explained by file, value, expectation and mending, and stops the run early."""

import pytest
import yaml

from medscale.files.tables import write_table
from medscale.phantoms.brain_subjects import demo_subjects
from medscale.phantoms.breast_ultrasound import CLASSES, write_breast
from medscale.scans.scan_sheet import divide_scans, survey_scans

IMAGES = "results/scans/images/breast_ultrasound_64px.h5"


@pytest.fixture
def sheet(tmp_path):
    """The sheet of a folder like BUSI's, all of whose files are whole."""
    for label in CLASSES:
        for number in range(1, 5):
            write_breast(tmp_path / "busi" / label / f"{label} ({number}).png", 0, 64)
    scans, _ = survey_scans(tmp_path / "busi")
    return divide_scans(scans)


@pytest.fixture
def run(root, tmp_path, snakemake):
    """Run in `tmp_path` with this sheet and other settings; what the workflow printed comes back."""

    def run(sheet, *arguments, **changes):
        write_table(sheet, tmp_path / "scans.csv")
        config = yaml.safe_load((root / "tests/tiny.yaml").read_text())
        config["scans"]["collections"]["breast_ultrasound"]["sheet"] = "scans.csv"
        for part, settings in changes.items():
            config["scans"][part] |= settings
        (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
        return snakemake(tmp_path, *arguments, config=tmp_path / "config.yaml")

    return run


def test_a_damaged_image_is_named_and_leaves_no_result(run, sheet, tmp_path):
    path = tmp_path / "busi/benign/benign (2).png"
    path.write_bytes(path.read_bytes()[:-40])
    done = run(sheet, IMAGES)
    assert done.returncode != 0
    assert f"{path}: found a truncated picture; expected a whole PNG or JPEG" in done.stdout
    assert not (tmp_path / IMAGES).exists()


def test_a_mask_of_another_size_is_named(run, sheet, tmp_path):
    mask = tmp_path / "busi/benign/benign (2)_mask.png"
    write_breast(tmp_path / "other/benign (9).png", 0, 80)
    mask.write_bytes((tmp_path / "other/benign (9)_mask.png").read_bytes())
    done = run(sheet, IMAGES)
    assert done.returncode != 0
    assert f"{mask}: found 67 × 80 pixels; expected 54 × 64 pixels" in done.stdout


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda sheet: sheet.assign(split="train"), "none of them in validation or test"),
        (lambda sheet: sheet.assign(**{"class": "benign"}), "found the classes benign"),
        (lambda sheet: sheet.assign(group="one"), "group one: found duplicates of one picture in"),
        (lambda sheet: sheet.assign(path=sheet["path"] + ".png"), "found no file"),
    ],
)
def test_a_bad_sheet_stops_the_run_before_any_job(run, sheet, tmp_path, change, message):
    done = run(change(sheet), IMAGES)
    assert done.returncode != 0
    assert message in done.stdout
    assert not (tmp_path / "results").exists()


def test_settings_that_fit_nothing_stop_the_run_before_any_job(run, sheet, tmp_path):
    for changes, message in [
        ({"architectures": {"collection": "lungs"}}, "scans.architectures.collection"),
        ({"data_sizes": {"networks": ["resnet18"]}}, "'resnet18'; expected one of strided_cnn, googlenet"),
        ({"segmentation": {"shown_loss": "mse"}}, "'mse'; expected one of dice"),
    ]:
        done = run(sheet, IMAGES, **changes)
        assert done.returncode != 0
        assert message in done.stdout
    assert not (tmp_path / "results").exists()


def test_a_run_without_ultrasound_and_volumes_plans_nothing_of_them(root, tmp_path, snakemake):
    config = yaml.safe_load((root / "tests/tiny.yaml").read_text())
    config["scans"]["collections"]["breast_ultrasound"] = None
    config["scans"] |= {"segmentation": None, "volumes": None}
    for part in ("architectures", "image_sizes"):
        config["scans"][part]["collection"] = "brain_mri"
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    done = snakemake(tmp_path, "--dry-run", "scans", config=tmp_path / "config.yaml")
    assert done.returncode == 0
    assert "rule train_image_classifier" in done.stdout
    for unwanted in ("Exception", "train_mask_segmenter", "train_volume_classifier"):
        assert unwanted not in done.stdout


def test_subjects_without_images_or_ages_are_refused_by_name(run, sheet, tmp_path):
    counts = {"train": {"control": 2, "patient": 2}, "test": {"control": 1, "patient": 1}}
    subjects = demo_subjects(counts, "results/demo_data/brain_volumes", 20)
    subjects.loc[1, "flair"], subjects.loc[2, "age"] = "", ""
    write_table(subjects, tmp_path / "subjects.csv")
    for settings, message in [
        ({"missing_images": "refuse"}, "subjects.csv: found no image: sub_002 (flair)"),
        ({"missing_scores": "refuse"}, "subjects.csv: found no score: sub_003 (age)"),
    ]:
        done = run(sheet, IMAGES, volumes={"subjects": "subjects.csv"} | settings)
        assert done.returncode != 0
        assert message in done.stdout
    assert not (tmp_path / "results").exists()
