"""Slides of real tissue go through the same rules, with classes missing among the training patients."""

import json

import pandas as pd
import yaml

from medscale.__main__ import main

SPLITS = ["patient_910=train_network", "patient_911=train_staging", "patient_912=test"]
# Enough to go through every rule; docs/pathology.md has the run that learns something.
SHORT = {
    "training": {"epochs": 1, "samples_per_epoch": 320, "validation_patches": 64},
    "heatmaps": {"stride_um": 96.0, "slides_per_job": 8},
    "staging": {"trees": 50},
    "evaluation": {"bootstrap_samples": 200, "patches_per_slide": 40},
}


def test_the_mosaic_goes_from_its_folder_to_stages_and_metrics(root, real_data, tmp_path, snakemake):
    options = [text for pair in SPLITS for text in ("--split", pair)]
    folder = str(real_data / "camelyon_mosaic")
    assert main(["camelyon17", folder, "--output", str(tmp_path / "slides.csv"), *options]) == 0
    (tmp_path / "short.yaml").write_text(yaml.safe_dump({"pathology": SHORT}))
    overlays = [str(root / f"configs/{name}.yaml") for name in ("camelyon17", "two_cores")]
    targets = ["results/pn_stage.csv", "results/metrics/pathology.json"]
    done = snakemake(
        tmp_path, *targets, "--configfile", *overlays, str(tmp_path / "short.yaml"), config=overlays[0]
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "no slide of train_staging is macro" in done.stdout
    stages = pd.read_csv(tmp_path / targets[0])
    assert list(stages["patient"]) == ["patient_910.zip", "patient_911.zip", "patient_912.zip"]
    metrics = json.loads((tmp_path / targets[1]).read_text())
    assert metrics["test_patients"] == 1
    assert metrics["test_patch_auc"] is None
    assert metrics["train_network_jaccard_patient_910_node_4_floor"] > 0
