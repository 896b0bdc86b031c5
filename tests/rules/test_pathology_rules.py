"""One test a rule: what it leaves behind keeps the contract that the next rules build on."""

import json

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml

from medscale.files.rasters import read_raster
from medscale.pathology.forest_files import load_forest
from medscale.pathology.lesions import feature_names
from medscale.pathology.overlap import resample_mask
from medscale.pathology.slides import Slide
from medscale.pathology.staging import CLASSES, STAGES, stage_patient
from medscale.training.models import load_model

DEMO = "results/demo_data/camelyon17"


@pytest.fixture(scope="module")
def sheet(root):
    table = pd.read_csv(root / "tests/tiny_slides.csv", dtype=str, keep_default_na=False)
    return table.set_index("slide", drop=False)


@pytest.fixture(scope="module")
def results(tiny_run):
    return tiny_run / "results/pathology"


@pytest.fixture(scope="module")
def annotated(sheet):
    return list(sheet.index[sheet["annotation"] != ""])


def test_draw_demo_slide(tiny_run, sheet):
    for name in sheet["path"]:
        with Slide(tiny_run / name) as slide:
            assert slide.um_px == pytest.approx(2.0)


def test_annotate_demo_slide(tiny_run, annotated):
    found = {path.stem for path in (tiny_run / DEMO / "annotations").glob("*.xml")}
    assert found == set(annotated)


def test_label_demo_slides(tiny_run, snakemake, sheet, tmp_path):
    from medscale.pathology.stage_labels import read_stage_labels

    assert snakemake(tmp_path, f"{DEMO}/stage_labels.csv").returncode == 0
    slides, patients = read_stage_labels(tmp_path / DEMO / "stage_labels.csv")
    assert dict(slides.values) == sheet["label"].to_dict()
    assert len(patients) == sheet["patient"].nunique()


def test_mask_tissue(results, tiny_run, sheet):
    for slide in sheet.itertuples():
        mask = read_raster(results / f"tissue/{slide.slide}.tif")
        assert mask.um_px == pytest.approx(8.0)
        assert set(np.unique(mask.values)) == {0, 1}
        with Slide(tiny_run / slide.path) as opened:
            assert mask.values.shape == opened.raster_shape(8.0)
        assert max(cv2.imread(str(results / f"tissue/{slide.slide}.jpg")).shape) <= 1024


def test_mask_tumour(results, annotated):
    assert {path.stem for path in (results / "tumour").glob("*.tif")} == set(annotated)
    for slide in annotated:
        tumour, tissue = (read_raster(results / f"{kind}/{slide}.tif") for kind in ("tumour", "tissue"))
        assert tumour.values.shape == tissue.values.shape
        assert tumour.values[tissue.values > 0].sum() > 0.8 * tumour.values.sum()


def test_grid_patches(results, sheet):
    for slide in sheet.itertuples():
        grid = pd.read_parquet(results / f"patches/{slide.slide}.parquet")
        if slide.label == "negative":
            assert len(grid) > 0
            assert (grid["label"] == 0).all()
        elif not slide.annotation:
            assert grid.empty
        else:
            assert set(grid["label"]) == {0, 1}


def test_balance_patches(results):
    unbalanced, by_class, by_slide = (
        pd.read_parquet(results / f"manifests/{name}.parquet")
        for name in ("unbalanced", "class_balanced", "slide_balanced")
    )
    assert len(unbalanced) > len(by_class) == 2 * (by_class["label"] == 1).sum()
    counts = by_slide[by_slide["label"] == 1].groupby("slide").size()
    assert counts.max() - counts.min() <= 1
    table = pd.read_csv(results / "manifests/slide_balanced.counts.csv")
    assert table["tumour_after"].sum() == len(by_slide) // 2
    assert table["tumour_share_of_tissue"].max() > 0


def test_train_classifier(results):
    import torch

    network, card = load_model(results / "models/slide_balanced_0.safetensors", torch.device("cpu"))
    size_px = card.inputs["size_px"]
    assert network(torch.zeros(1, 3, size_px, size_px)).shape == (1, 1)
    history = pd.read_csv(results / "models/slide_balanced_0.history.csv")
    assert list(history["epoch"]) == [1, 2]
    assert history["train_loss"].iloc[1] < history["train_loss"].iloc[0]


def test_score_patches(results):
    scores = pd.read_parquet(results / "patch_scores.parquet")
    assert scores["probability"].between(0, 1).all()
    assert scores.groupby("slide").size().max() <= 40


def test_map_probabilities(results, sheet):
    for slide in sheet.index:
        heatmap, tissue = (read_raster(results / f"{kind}/{slide}.tif") for kind in ("heatmaps", "tissue"))
        known = ~np.isnan(heatmap.values)
        assert heatmap.um_px == pytest.approx(96.0)
        assert 0 <= heatmap.values[known].min() <= heatmap.values[known].max() <= 1
        np.testing.assert_array_equal(known, resample_mask(tissue, known.shape, heatmap.um_px) >= 0.25)
        assert (results / f"heatmaps/{slide}.jpg").stat().st_size > 1000


def test_extract_features(results, sheet, root):
    table = pd.read_csv(results / "features.csv")
    thresholds = yaml.safe_load((root / "config.yaml").read_text())["pathology"]["lesions"]["thresholds"]
    assert list(table.columns) == ["slide", *feature_names(thresholds)]
    assert list(table["slide"]) == sorted(sheet.index)


def test_classify_slides(results, sheet):
    classes = pd.read_csv(results / "slide_classes.csv").set_index("slide")
    assert classes["split"].to_dict() == sheet["split"].to_dict()
    assert set(classes["predicted"]) <= set(CLASSES)
    sources = classes.groupby("split")["prediction"].unique().map(list).to_dict()
    assert sources == {
        "test": ["held_out"],
        "train_network": ["network_trained_on_patient"],
        "train_staging": ["out_of_fold"],
    }
    assert load_forest(results / "models/forest.skops").thresholds


def test_stage_patients(tiny_run, results):
    text = (tiny_run / "results/pn_stage.csv").read_bytes().decode()
    assert text.startswith("patient,stage\npatient_000.zip,pN")
    classes = pd.read_csv(results / "slide_classes.csv")
    for line in text.splitlines()[1:]:
        patient, stage = line.split(",")
        assert stage in STAGES
        own = classes[classes["patient"] == patient.removesuffix(".zip")]
        assert stage == stage_patient(list(own["predicted"]))


def test_evaluate_pathology(tiny_run, results, annotated):
    metrics = json.loads((tiny_run / "results/metrics/pathology.json").read_text())
    assert metrics["test_patients"] == 2
    assert -1 <= metrics["test_kappa"] <= 1
    assert 0 <= metrics["test_patch_auc"] <= 1
    assert 0 <= metrics["test_patch_auc_colour_threshold"] <= 1
    assert all(not isinstance(value, dict) for value in metrics.values())
    assert set(pd.read_csv(results / "jaccard.csv")["slide"]) == set(annotated)
    assert "test_kappa" in set(pd.read_csv(results / "metrics.csv")["metric"])


def test_measure_balancing(results):
    overlaps = pd.read_csv(results / "balancing/unbalanced_0.csv")
    assert list(overlaps["split"]) == ["train_network", "test"]
    for slide in overlaps["slide"]:
        assert read_raster(results / f"balancing/unbalanced_0/{slide}.tif").values.size


def test_compare_balancing(results):
    table = pd.read_csv(results / "balancing_study.csv")
    ours = table[table["source"] == "ours"]
    assert set(ours["strategy"]) == {"unbalanced", "class_balanced", "slide_balanced"}
    assert set(table.loc[table["source"] == "thesis", "slide"]) == {"WSI01", "WSI02", "WSI03", "WSI04"}
