import math

import numpy as np
import pandas as pd

from medscale.files.tables import read_json, read_table, write_json, write_table
from medscale.scans.architecture_table import tabulate_architectures
from medscale.scans.classification_table import tabulate_classification
from medscale.scans.scan_metrics import flatten_metrics
from medscale.scans.segmentation_table import tabulate_segmentation
from tests.unit.scans.scan_tables import (
    BRAIN,
    both_aids,
    empty_outline,
    make_sheet,
    outline,
    predict,
    training,
)

SHEET = make_sheet()
VOLUMES = pd.DataFrame(
    {
        "inputs": ["both", "majority"],
        "test_accuracy": [0.8, 0.5],
        "test_accuracy_low": [0.7, np.nan],
        "test_accuracy_high": [0.9, np.nan],
    }
)


def all_tables():
    brains = make_sheet(BRAIN)
    trainings = [
        training("brain_mri", collection="brain_mri"),
        training("brain_mri_unguarded", collection="brain_mri", guarded=False),
    ]
    runs = {"brain_mri": [predict(brains, 0.7)], "brain_mri_unguarded": [predict(brains, 0.9)]}
    outlines = {
        f"unet_dice_{aid}": [outline(SHEET, level)] for aid, level in (("plain", 0.4), ("aided", 0.6))
    }
    return {
        "classification": tabulate_classification(trainings, runs, 50, 0),
        "segmentation": tabulate_segmentation(both_aids("dice"), outlines, empty_outline(SHEET), 50, 0),
        "architectures": tabulate_architectures([training("svm")], {}, {"svm": [predict(SHEET, 0.6)]}, 50, 0),
        "volumes": VOLUMES,
    }


def test_every_table_gives_its_numbers(tmp_path):
    tables = all_tables()
    for name, table in tables.items():
        write_table(table, tmp_path / f"{name}.csv")
    metrics = flatten_metrics(**{name: read_table(tmp_path / f"{name}.csv") for name in tables})
    assert set(metrics) == set(flatten_metrics(**tables))
    rows = {name: table.to_dict("records") for name, table in tables.items()}
    expected = {
        "test_brain_mri_guarded_accuracy": rows["classification"][0]["test_accuracy"],
        "test_brain_mri_unguarded_accuracy_low": rows["classification"][1]["test_accuracy_low"],
        "test_brain_mri_guarded_floor_accuracy": 0.5,
        "test_brain_mri_guarded_images_with_copy_in_train": 0,
        "train_brain_mri_guarded_accuracy": 1,
        "test_dice_aid_none_iou": rows["segmentation"][0]["test_iou"],
        "test_dice_aid_training_difference_high": rows["segmentation"][2]["test_difference_high"],
        "test_dice_aid_prediction_hurt": rows["segmentation"][1]["test_hurt"],
        "test_empty_mask_iou": 1 / 3,
        "test_architecture_svm_accuracy": rows["architectures"][0]["test_accuracy"],
        "test_architecture_majority_accuracy": 1 / 3,
        "test_volumes_both_accuracy_high": 0.9,
    }
    for name, value in expected.items():
        assert math.isclose(metrics[name], value, abs_tol=1e-9), name


def test_only_finite_numbers_are_metrics(tmp_path):
    metrics = flatten_metrics(**all_tables())
    assert all(isinstance(value, float) and math.isfinite(value) for value in metrics.values())
    assert "test_dice_aid_none_difference" not in metrics
    assert "test_volumes_majority_accuracy_low" not in metrics
    write_json(metrics, tmp_path / "scans.json")
    assert read_json(tmp_path / "scans.json") == metrics


def test_tables_may_be_absent():
    assert flatten_metrics() == {}
    assert list(flatten_metrics(volumes=VOLUMES[1:])) == ["test_volumes_majority_accuracy"]
