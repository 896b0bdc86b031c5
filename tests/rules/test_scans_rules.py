"""One test a rule: what it leaves behind keeps the contract that the next rules build on."""

import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from medscale.scans.outline_files import read_probabilities
from medscale.scans.prepared_images import read_prepared_images
from medscale.scans.sheets import count_leaked, read_checked_sheet, split_masks
from medscale.scans.volumes import read_prepared_volume
from medscale.training.models import load_model

CLASSIFIERS = [
    *("brain_mri", "brain_mri_unguarded", "breast_ultrasound", "breast_ultrasound_80px"),
    *("googlenet", "googlenet_without_auxiliary", "googlenet_0.5"),
]
CONVENTIONAL = ["logistic_regression", "logistic_regression_0.5"]
OUTLINERS = ["unet_dice_plain", "unet_dice_aided", "unet_dice_plain_80px"]
INPUTS = ["image", "demographics", "both"]
FIGURES = [
    *("classification_trainings", "confusion", "segmentation_trainings", "overlap", "outlines", "volumes"),
    *("architectures", "architecture_trainings", "data_sizes", "image_sizes"),
]


@pytest.fixture(scope="module")
def results(tiny_run):
    return tiny_run / "results/scans"


@pytest.fixture(scope="module")
def sheets(root):
    names = ("brain_mri", "brain_mri_unguarded", "breast_ultrasound")
    return {name: read_checked_sheet(root / f"tests/tiny_{name}.csv") for name in names}


@pytest.fixture(scope="module")
def subjects(root):
    return pd.read_csv(
        root / "tests/tiny_subjects.csv", dtype=str, keep_default_na=False, index_col="subject"
    )


@pytest.fixture(scope="module")
def volumes(root):
    return yaml.safe_load((root / "tests/tiny.yaml").read_text())["scans"]["volumes"]


def _sheet_of(training, sheets):
    return sheets[training if training in sheets else "breast_ultrasound"]


def test_draw_demo_brains_and_breasts(tiny_run, sheets):
    for sheet in sheets.values():
        for path, masks in zip(sheet["path"], sheet["masks"], strict=True):
            for name in (path, *split_masks(masks)):
                assert cv2.imread(str(tiny_run / name)).shape[1] == 192


def test_draw_demo_subjects(tiny_run, subjects):
    assert all((tiny_run / path).is_file() for name in ("t1", "flair") for path in subjects[name])


@pytest.mark.parametrize("name", ["brain_mri_64px", "breast_ultrasound_64px", "breast_ultrasound_80px"])
def test_prepare_images(results, sheets, name):
    images = read_prepared_images(results / f"images/{name}.h5")
    sheet = sheets[name.rsplit("_", 1)[0]]
    size = int(name[-4:-2])
    assert images.names == tuple(sheet["image"])
    assert images.images.shape == (len(sheet), size, size)
    assert (images.shapes.max(axis=1) == 192).all()
    assert (images.masks.any(axis=(1, 2)) == sheet["class"].isin(["benign", "malignant"])).all()


@pytest.mark.parametrize("training", CLASSIFIERS)
def test_train_image_classifier(results, sheets, training):
    sheet = _sheet_of(training, sheets)
    predictions = pd.read_csv(results / f"predictions/{training}_0.csv")
    assert list(predictions["image"]) == list(sheet["image"])
    classes = predictions.filter(like="p_")
    assert np.allclose(classes.sum(axis=1), 1, atol=1e-5)
    assert (predictions["predicted"] == classes.idxmax(axis=1).str.removeprefix("p_")).all()
    network, card = load_model(results / f"models/{training}_0.safetensors", torch.device("cpu"))
    assert card.inputs["size_px"] == (80 if training.endswith("80px") else 64)
    assert len(card.history) == (4 if training.endswith("0.5") else 2)
    assert network(torch.zeros(1, 1, *[card.inputs["size_px"]] * 2)).shape[1] == len(classes.columns)


@pytest.mark.parametrize("training", CONVENTIONAL)
def test_classify_conventionally(results, sheets, training):
    predictions = pd.read_csv(results / f"predictions/{training}_0.csv")
    assert list(predictions["image"]) == list(sheets["breast_ultrasound"]["image"])
    train = predictions[predictions["split"] == "train"]
    assert (train["predicted"] == train["class"]).mean() > 0.5


@pytest.mark.parametrize("training", OUTLINERS)
def test_train_mask_segmenter(results, sheets, training):
    sheet = sheets["breast_ultrasound"]
    outlines = read_probabilities(results / f"outlines/{training}_0.h5")
    scores = pd.read_csv(results / f"outlines/{training}_0.csv")
    assert list(outlines) == list(scores["image"]) == list(sheet["image"])
    assert scores.filter(regex="iou|dice").apply(lambda column: column.between(0, 1).all()).all()
    calls = pd.read_csv(results / "predictions/breast_ultrasound_0.csv")
    assert (scores["called_normal"] == (calls["predicted"] == "normal")).all()
    card = json.loads((results / f"models/{training}_0.json").read_text())
    emptied = scores["called_normal"] & (scores["split"] == "train")
    assert card["training"]["emptied_samples"] == (emptied.sum() if training.endswith("aided") else 0)


def test_evaluate_classification(results, sheets):
    table = pd.read_csv(results / "classification.csv")
    assert list(zip(table["collection"], table["divided_by"], strict=True)) == [
        ("brain_mri", "group"),
        ("brain_mri", "image"),
        ("breast_ultrasound", "group"),
    ]
    leaked = [count_leaked(sheets[name]) for name in ("brain_mri", "brain_mri_unguarded")]
    assert table["test_images_with_copy_in_train"].tolist() == [0, leaked[1], 0]
    assert leaked[1] > 0
    own = pd.read_csv(results / "predictions/breast_ultrasound_0.csv").query("split == 'test'")
    assert table["test_accuracy"].iloc[2] == pytest.approx((own["predicted"] == own["class"]).mean())
    assert table["floor_accuracy"].iloc[2] == pytest.approx(1 / 3)
    confusion = pd.read_csv(results / "classification.confusion.csv")
    assert confusion.groupby(["collection", "divided_by"])["images"].sum().tolist() == [6, 5, 9]


def test_evaluate_segmentation(results):
    table = pd.read_csv(results / "segmentation.csv")
    assert list(table["aid"]) == ["none", "prediction", "training", "none"]
    plain = pd.read_csv(results / "outlines/unet_dice_plain_0.csv").query("split == 'test'")
    assert table["test_iou"].iloc[0] == pytest.approx(plain["iou"].mean())
    assert table["test_iou"].iloc[1] == pytest.approx(plain["iou_aided"].mean())
    assert table["test_iou"].iloc[3] == pytest.approx((plain["class"] == "normal").mean())
    reported = pd.read_csv(results / "segmentation.reported.csv")
    assert reported["test_aid"].iloc[0] == pytest.approx(table["test_iou"].iloc[2])
    hurt = pd.read_csv(results / "segmentation.hurt.csv")
    assert len(hurt) == (plain["called_normal"] & (plain["class"] != "normal")).sum()


def test_compare_architectures(results):
    table = pd.read_csv(results / "architectures.csv").set_index("network")
    networks = ["strided_cnn", "googlenet", "googlenet_without_auxiliary"]
    assert list(table.index) == [*networks, "logistic_regression", "majority"]
    network, _ = load_model(results / "models/googlenet_0.safetensors", torch.device("cpu"))
    assert table.at["googlenet", "parameters"] == sum(weight.numel() for weight in network.parameters())
    assert table.at["googlenet", "published_parameters"] == 13_004_888
    assert table.at["googlenet", "operations"] == table.at["googlenet_without_auxiliary", "operations"] > 0
    parts = pd.read_csv(results / "architectures.parts.csv")
    assert parts[["changed", "network", "without"]].to_numpy().tolist() == [
        ["auxiliary", "googlenet", "googlenet_without_auxiliary"]
    ]


def test_measure_classifiers(results):
    costs = pd.read_csv(results / "architectures.cost.csv").set_index("network")
    assert (costs.drop("logistic_regression") > 0).all(axis=None)
    assert costs.at["logistic_regression", "training_seconds"] > 0


def test_compare_data_sizes(results):
    table = pd.read_csv(results / "data_sizes.csv").set_index(["network", "share"])
    assert list(table.index) == [
        (network, share) for network in ("googlenet", "logistic_regression") for share in (0.5, 1.0)
    ]
    assert table["train_images"].tolist() == [12, 24, 12, 24]


def test_compare_image_sizes(results):
    table = pd.read_csv(results / "image_sizes.csv")
    assert table[["network", "size_px"]].to_numpy().tolist() == [
        *(["strided_cnn", 64], ["strided_cnn", 80], ["unet", 64], ["unet", 80])
    ]
    assert table["test_accuracy"].notna().tolist() == [True, True, False, False]
    assert table["test_iou_original"].notna().tolist() == [False, False, True, True]


def test_choose_subjects_and_prepare_volumes(results, subjects, volumes):
    chosen = pd.read_csv(results / "subjects.csv")
    assert list(chosen["subject"]) == list(subjects.index)
    for subject in chosen["subject"]:
        channels = read_prepared_volume(results / f"volumes/{subject}.npy")
        assert channels.shape == (2, *volumes["shape"])
        assert np.isfinite(channels).all()


@pytest.mark.parametrize("inputs", INPUTS)
def test_train_volume_classifier(results, subjects, inputs):
    predictions = pd.read_csv(results / f"predictions/volumes_{inputs}_0.csv")
    assert list(predictions["subject"]) == list(subjects.index)
    assert set(predictions["predicted"]) <= {"control", "patient"}
    _, card = load_model(results / f"models/volumes_{inputs}_0.safetensors", torch.device("cpu"))
    assert card.inputs["inputs"] == inputs


def test_compare_inputs(results):
    table = pd.read_csv(results / "volumes.csv").set_index("inputs")
    assert list(table.index) == [*INPUTS, "majority"]
    own = pd.read_csv(results / "predictions/volumes_both_0.csv").query("split == 'test'")
    assert table.at["both", "test_accuracy"] == pytest.approx((own["predicted"] == own["class"]).mean())
    assert table.at["majority", "test_accuracy"] == 0.5


def test_evaluate_scans(tiny_run, results):
    metrics = json.loads((tiny_run / "results/metrics/scans.json").read_text())
    table = pd.read_csv(results / "segmentation.csv")
    assert metrics["test_dice_aid_training_iou"] == pytest.approx(table["test_iou"].iloc[2])
    assert metrics["test_volumes_majority_accuracy"] == 0.5
    assert metrics["test_breast_ultrasound_guarded_floor_accuracy"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("name", FIGURES)
def test_draw(results, name):
    picture = cv2.imread(str(Path(results) / f"figures/{name}.png"), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert picture.std() > 5
