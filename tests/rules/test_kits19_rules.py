"""One test a rule: what it leaves behind keeps the contract that the next rules build on."""

import json

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from medscale.files.volumes import read_nifti
from medscale.kits19.cases import read_case, read_segmentation
from medscale.kits19.official import official_scores
from medscale.kits19.prepared_files import read_info, read_labels, read_size
from medscale.kits19.resizing import LABEL_INTERPOLATIONS
from medscale.kits19.trainings import describe_samples
from medscale.networks.parameter_count import count_parameters
from medscale.training.models import load_model

SIZE = 32
NETWORKS = {"unet2d": [0, 1], "unet3d": [0]}
VARIANTS = ["loss_focal", "balancing_none", "generated_slices"]
FLOORS = ["all_background", "no_tumour"]


@pytest.fixture(scope="module")
def sheet(root):
    return pd.read_csv(root / "tests/tiny_kits19.csv", dtype=str, keep_default_na=False, index_col="case")


@pytest.fixture(scope="module")
def results(tiny_run):
    return tiny_run / "results/kits19"


@pytest.fixture(scope="module")
def unseen(sheet):
    return list(sheet.index[sheet["split"] == "test"])


def runs():
    return [f"{network}_{seed}" for network, seeds in NETWORKS.items() for seed in seeds]


def test_draw_demo_case(tiny_run, sheet):
    for case, row in sheet.iterrows():
        drawn = read_case(tiny_run / row["imaging"], tiny_run / row["segmentation"])
        assert set(np.unique(drawn.labels)) == {0, 1, 2}, case
        inside = drawn.hu[drawn.labels > 0]
        assert -50 < inside.mean() < 300


def test_prepare_cases(tiny_run, results, sheet):
    for case, row in sheet.iterrows():
        path = results / f"cases/{case}.h5"
        original = read_segmentation(tiny_run / row["segmentation"])[0]
        assert read_info(path).original_shape == original.shape
        assert read_size(path) == (len(original), SIZE)
        shares = [(labels > 0).mean() for labels in (original, read_labels(path))]
        assert shares[1] == pytest.approx(shares[0], rel=0.2)


def test_measure_label_damage(results, sheet):
    cases = pd.read_csv(results / "label_damage.cases.csv")
    assert set(cases["case"]) == set(sheet.index)
    summary = pd.read_csv(results / "label_damage.csv")
    assert list(summary["interpolation"]) == list(LABEL_INTERPOLATIONS)
    means = cases.groupby("interpolation")["kidney_dice"].mean()
    assert summary["kidney_dice"].to_numpy() == pytest.approx(means[summary["interpolation"]].to_numpy())


def test_balance_slices(results, root):
    config = yaml.safe_load((root / "config.yaml").read_text())["kits19"]
    tiny = yaml.safe_load((root / "tests/tiny.yaml").read_text())["kits19"]
    depth = tiny["balancing"]["depth"]
    repeats = 1 + config["balancing"]["repeat_tumours"]
    train = pd.read_csv(results / "samples/train/slices.csv")
    assert (train["kidney_px"] + train["tumour_px"] > 0).all()
    assert set(train.loc[train["tumour_px"] > 0, "repeats"]) == {repeats}
    none = pd.read_csv(results / "samples/balancing_none/slices.csv")
    assert len(none) == sum(read_size(results / f"cases/{case}.h5")[0] for case in none["case"].unique())
    assert set(none["repeats"]) == {1}
    assert set(pd.read_csv(results / "samples/train/blocks.csv")["slices"]) == {depth}
    weights = json.loads((results / "samples/train/weights.json").read_text())
    for kind in ("slices", "blocks"):
        pixels = np.array(weights[kind]["pixels"])
        assert weights[kind]["class_weights"] == pytest.approx(pixels.sum() / (3 * pixels))
    assert set(describe_samples(config | tiny | {"balancing": config["balancing"] | tiny["balancing"]})) == {
        path.name for path in (results / "samples").iterdir()
    }


@pytest.mark.parametrize("run", [*runs(), *(f"{name}_0" for name in VARIANTS)])
def test_train_segmenter(results, run):
    network, card = load_model(results / f"models/{run}.safetensors", torch.device("cpu"))
    assert card.inputs["size_px"] == SIZE
    assert [record["epoch"] for record in card.history] == [1, 2]
    assert all(np.isfinite(list(record.values())).all() for record in card.history)
    shape = (1, 1, *([8] if network.dimensions == 3 else []), SIZE, SIZE)
    assert network(torch.rand(shape)).shape == (1, 3, *shape[2:])


def test_the_variants_were_trained_as_they_say(results):
    cards = {name: json.loads((results / f"models/{name}_0.json").read_text()) for name in VARIANTS}
    assert cards["loss_focal"]["training"]["loss"] == {"name": "focal"}
    assert cards["generated_slices"]["training"]["generated_share"] == 0.1
    samples = {name: card["training"]["samples"] for name, card in cards.items()}
    assert samples["generated_slices"] == round(samples["loss_focal"] / 0.9)


def test_train_generator_and_generate_slices(results):
    generator, card = load_model(results / "generated/generator.safetensors", torch.device("cpu"))
    assert generator(torch.zeros(2, generator.noise)).shape == (2, 4, SIZE, SIZE)
    assert len(card.history) == 2
    table = pd.read_csv(results / "generated/slices.csv")
    assert read_size(results / "generated/slices.h5") == (len(table), SIZE) == (40, SIZE)


@pytest.mark.parametrize("run", runs())
def test_predict_cases(tiny_run, results, sheet, unseen, run):
    for case in unseen:
        prediction = read_nifti(results / f"predictions/{run}/prediction_{case[-5:]}.nii.gz")
        imaging = read_nifti(tiny_run / sheet.at[case, "imaging"])
        assert prediction.values.shape == imaging.values.shape
        assert np.allclose(prediction.affine, imaging.affine)
        assert set(np.unique(prediction.values)) <= {0, 1, 2}


@pytest.mark.parametrize("run", runs())
def test_score_cases(tiny_run, results, sheet, unseen, run):
    scores = pd.read_csv(results / f"scores/{run}.csv", index_col="case")
    assert list(scores.index) == unseen
    for case in unseen:
        truth = read_nifti(tiny_run / sheet.at[case, "segmentation"]).values
        prediction = read_nifti(results / f"predictions/{run}/prediction_{case[-5:]}.nii.gz").values
        pair = official_scores(truth, prediction)
        assert scores.loc[case, ["dice_kidney_and_tumour", "dice_tumour"]].tolist() == pytest.approx(pair)


def test_score_floors(results):
    floors = pd.read_csv(results / "scores/floors.csv").set_index("network")
    assert list(dict.fromkeys(floors.index)) == FLOORS
    assert (floors.loc["all_background", "dice_kidney_and_tumour"] == 0).all()
    assert (floors.loc["no_tumour", "dice_kidney_and_tumour"] == 1).all()
    assert (floors["dice_tumour"] == 0).all()


def test_compare_segmenters(tiny_run, results):
    table = pd.read_csv(results / "comparison.csv").set_index("network")
    assert list(table.index) == [*NETWORKS, *FLOORS]
    own = [pd.read_csv(results / f"scores/unet2d_{seed}.csv")["dice_tumour"].mean() for seed in (0, 1)]
    assert table.at["unet2d", "dice_tumour"] == pytest.approx(np.mean(own))
    network, _ = load_model(results / "models/unet2d_0.safetensors", torch.device("cpu"))
    assert table.at["unet2d", "parameters"] == count_parameters(network)
    assert table.at["unet3d", "thesis_weighted_jaccard"] == 0.9113
    metrics = json.loads((tiny_run / "results/metrics/kits19.json").read_text())
    assert metrics["test_unet2d_dice_tumour"] == pytest.approx(table.at["unet2d", "dice_tumour"])
    assert metrics["test_no_tumour_weighted_jaccard"] > metrics["test_all_background_weighted_jaccard"]


def test_measure_segmenters(results):
    costs = pd.read_csv(results / "comparison.cost.csv").set_index("network")
    assert list(costs.index) == list(NETWORKS)
    assert (costs > 0).all(axis=None)


def test_compare_variants(results):
    table = pd.read_csv(results / "study.csv")
    assert list(table["network"]) == [*VARIANTS, *FLOORS]
    assert set(pd.read_csv(results / "study.histories.csv")["network"]) == set(VARIANTS)


@pytest.mark.parametrize("name", ["comparison", "volumes", "trainings", "case", "missed_tumour"])
def test_draw_comparison_and_draw_cases(results, name):
    picture = cv2.imread(str(results / f"figures/{name}.png"), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert picture.std() > 10
