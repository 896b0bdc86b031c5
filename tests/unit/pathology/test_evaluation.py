import math

import numpy as np
import pandas as pd
import pytest

from medscale.files.tables import read_json, write_json, write_table
from medscale.pathology.agreement import quadratic_kappa
from medscale.pathology.evaluation import describe, evaluate
from medscale.pathology.staging import CLASSES


def make_slides(
    split: str, patients: int, *, wrong_every: int, prediction: str, seed: int = 0
) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(patients):
        patient = f"{split}_{number:02d}"
        for node in range(5):
            true = rng.choice(CLASSES, p=[0.6, 0.1, 0.1, 0.2])
            wrong = (number * 5 + node) % wrong_every == 0
            predicted = CLASSES[(CLASSES.index(true) + 1) % 4] if wrong else true
            rows.append((f"{patient}_{node}", patient, split, predicted, true, prediction))
    return pd.DataFrame(rows, columns=["slide", "patient", "split", "predicted", "true", "prediction"])


@pytest.fixture(scope="module")
def slides() -> pd.DataFrame:
    return pd.concat(
        [
            make_slides("test", 20, wrong_every=9, prediction="held_out", seed=1),
            make_slides("train_staging", 30, wrong_every=6, prediction="out_of_fold", seed=2),
            make_slides("train_network", 10, wrong_every=1, prediction="network_trained_on_patient", seed=3),
        ]
    )


def make_patches(shift: float) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 500)
    patient = [f"test_{i % 10:02d}" for i in range(500)]
    return pd.DataFrame(
        {"slide": patient, "patient": patient, "label": label, "score": rng.random(500) + shift * label}
    )


JACCARDS = pd.DataFrame(
    {
        "slide": ["s2", "s1"],
        "split": ["test", "train_network"],
        "jaccard": [0.4, np.nan],
        "jaccard_best_threshold": [0.5, np.nan],
        "jaccard_floor": [0.1, np.nan],
    }
)


@pytest.fixture(scope="module")
def metrics(slides) -> dict:
    return evaluate(
        slides,
        resamples=200,
        seed=1,
        patches=make_patches(0.8),
        colour_patches=make_patches(0.02),
        jaccards=JACCARDS,
    )


def test_numbers_are_those_of_the_held_out_slides(slides, metrics):
    own = slides[slides["split"] == "test"]
    hits = own["true"] == own["predicted"]
    assert metrics["test_slide_accuracy"] == pytest.approx(hits.mean())
    assert metrics["test_slides"] == 100
    assert metrics["test_patients"] == 20
    for name in CLASSES:
        rows = own["true"] == name
        assert metrics[f"test_count_{name}"] == rows.sum()
        assert metrics[f"test_recall_{name}"] == pytest.approx(hits[rows].mean())


@pytest.mark.parametrize(
    "name",
    ["test_kappa", "test_stage_accuracy", "test_slide_accuracy", "test_patch_auc", "train_staging_kappa"],
)
def test_each_metric_has_an_interval_around_it_and_a_floor_below(metrics, name):
    assert metrics[f"{name}_low"] <= metrics[name] <= metrics[f"{name}_high"]
    assert metrics[f"{name}_low"] < metrics[f"{name}_high"]
    assert metrics[f"{name}_floor"] < metrics[name]


def test_floors_are_those_of_the_commonest_training_label(slides, metrics):
    test = slides[slides["split"] == "test"]
    assert metrics["test_slide_accuracy_floor"] == pytest.approx((test["true"] == "negative").mean())
    assert metrics["test_kappa_floor"] == 0
    assert (metrics["test_recall_negative_floor"], metrics["test_recall_itc_floor"]) == (1, 0)
    assert metrics["test_patch_auc_floor"] == 0.5
    assert metrics["test_jaccard_s2_floor"] == 0.1


def test_the_floor_learns_its_label_from_training_and_not_from_test(slides):
    moved = slides.copy()
    staging = moved["split"] == "train_staging"
    moved.loc[staging, "true"] = "macro"
    floor = evaluate(moved, resamples=20, seed=1)["test_slide_accuracy_floor"]
    assert floor == pytest.approx((moved.loc[moved["split"] == "test", "true"] == "macro").mean())


def test_slides_of_network_patients_touch_no_number(slides, metrics):
    fewer = slides[slides["split"] != "train_network"]
    again = evaluate(fewer, resamples=200, seed=1)
    assert again["test_kappa"] == metrics["test_kappa"]
    assert again["train_staging_slide_accuracy"] == metrics["train_staging_slide_accuracy"]


def test_the_colour_threshold_stands_beside_the_network(metrics):
    assert metrics["test_patch_auc"] > 0.9 > 0.6 > metrics["test_patch_auc_colour_threshold"]
    assert metrics["test_patches"] == 500


def test_the_same_seed_gives_the_same_numbers(slides, metrics):
    assert evaluate(slides, resamples=200, seed=1)["test_kappa_low"] == metrics["test_kappa_low"]
    assert evaluate(slides, resamples=200, seed=2)["test_kappa_high"] != metrics["test_kappa_high"]


def test_what_cannot_be_had_is_null_with_its_count(tmp_path, slides):
    unlabelled = slides.assign(true=slides["true"].where(slides["split"] != "test", ""))
    metrics = evaluate(unlabelled, resamples=20, seed=1, jaccards=JACCARDS)
    for name in ("test_kappa", "test_kappa_low", "test_slide_accuracy", "test_recall_itc", "test_patch_auc"):
        assert metrics[name] is None
    assert metrics["train_network_jaccard_s1"] is None
    assert metrics["test_patients"] == metrics["test_slides"] == metrics["test_count_itc"] == 0
    write_json(metrics, tmp_path / "metrics.json")
    assert read_json(tmp_path / "metrics.json") == metrics
    write_table(describe(metrics), tmp_path / "metrics.csv")
    rows = (tmp_path / "metrics.csv").read_text().splitlines()
    assert any(row.startswith("test_kappa,,,,,0,") for row in rows)


def test_no_slides_at_all_do_not_crash(slides):
    metrics = evaluate(slides[:0], resamples=20, seed=1)
    assert metrics["test_kappa"] is None
    assert metrics["train_staging_slides"] == 0


def test_a_single_test_patient_has_numbers_and_no_interval(slides):
    one = slides[(slides["split"] != "test") | (slides["patient"] == "test_00")]
    metrics = evaluate(one, resamples=20, seed=1)
    assert metrics["test_patients"] == 1
    assert metrics["test_slide_accuracy"] is not None
    assert metrics["test_slide_accuracy_low"] is None


def test_the_table_has_one_row_a_metric_with_its_companions(metrics):
    table = describe(metrics).set_index("metric")
    assert table.index.is_unique
    assert not [name for name in table.index if name.endswith(("_low", "_high", "_floor"))]
    row = table.loc["test_kappa"]
    assert [row["value"], row["low"], row["high"], row["floor"]] == [
        metrics["test_kappa"],
        metrics["test_kappa_low"],
        metrics["test_kappa_high"],
        0,
    ]
    assert row["n"] == 20
    assert table.loc["test_recall_itc", "n"] == metrics["test_count_itc"]
    assert table.loc["test_jaccard_s2", "floor"] == 0.1
    assert math.isnan(table.loc["train_network_jaccard_s1", "value"])
    assert (table["what_it_is"] != "").all()


def test_every_number_of_the_json_is_in_the_table(metrics):
    table = describe(metrics)
    endings = {"value": "", "low": "_low", "high": "_high", "floor": "_floor"}
    shown = {f"{row['metric']}{ending}" for row in table.to_dict("records") for ending in endings.values()}
    counts = {
        name for name in metrics if "_count_" in name or name.endswith(("_slides", "_patients", "_patches"))
    }
    assert set(metrics) <= shown | counts


def test_a_detector_blind_to_isolated_cells_shows_in_recall_and_hardly_in_kappa(slides):
    true = slides["true"]
    blind = slides.assign(predicted=true.replace("itc", "negative"))
    metrics = evaluate(blind, resamples=20, seed=1)
    assert metrics["test_recall_itc"] == 0
    assert metrics["test_kappa"] > 0.9
    assert quadratic_kappa(["pN0"], ["pN0"]) is None
