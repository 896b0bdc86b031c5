"""One test a rule: what it leaves behind keeps the contract that the next rules build on."""

import json
import re

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from medscale.files.volumes import read_nifti
from medscale.sparse_ct.fbp import WINDOWS
from medscale.sparse_ct.geometry import kept_views
from medscale.sparse_ct.images import StoredSlices
from medscale.sparse_ct.quality import score_slices
from medscale.sparse_ct.quality_table import METHODS
from medscale.sparse_ct.simulation import reconstruct_fbp
from medscale.sparse_ct.sinogram_files import read_sinogram
from medscale.training.models import load_model

VIEWS, FULL_VIEWS = 20, 200
WINDOW_HU = (-1000.0, 2000.0)
MODELS = ["crop_20_sigmoid_0", "resize_20_sigmoid_0"]


@pytest.fixture(scope="module")
def sheet(root):
    return pd.read_csv(root / "tests/tiny_ct.csv", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def results(tiny_run):
    return tiny_run / "results/sparse_ct"


@pytest.fixture(scope="module")
def unseen(sheet):
    return list(sheet.loc[sheet["split"] == "test", "image"])


def names(image, *kinds):
    """Files of an image below the study's results."""
    forms = {
        "images": f"images/{image}.nii",
        "fbp": f"fbp/{image}_{VIEWS}.nii",
        "tv": f"tv/{image}_{VIEWS}.nii.gz",
        "denoised": f"denoised/{image}_{VIEWS}.nii.gz",
    }
    return [forms[kind] for kind in kinds]


def read_picture(path):
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert picture is not None, path
    return picture


def test_draw_demo_ct(tiny_run, sheet):
    for path in sheet["path"]:
        hu = read_nifti(tiny_run / path).values
        size, slices = (int(number) for number in re.findall(r"(\d+)px_(\d+)slices", path)[0])
        assert hu.shape == (size, size, slices)
        assert hu.min() < -900
        assert hu.max() > 300


def test_convert_images(tiny_run, results, sheet):
    for image, path in zip(sheet["image"], sheet["path"], strict=True):
        original, stored = read_nifti(tiny_run / path), read_nifti(results / f"images/{image}.nii")
        assert np.allclose(stored.values, original.values)
        assert np.allclose(stored.affine, original.affine)
        assert len(StoredSlices(results / f"images/{image}.nii")) == original.values.shape[2]


def test_simulate_views(results, sheet):
    for image in sheet["image"]:
        projections, geometry = read_sinogram(results / f"sinograms/{image}_{VIEWS}.h5")
        full = np.pi * kept_views(FULL_VIEWS, VIEWS) / FULL_VIEWS
        assert np.allclose(geometry.angles_rad, full)
        original, fbp = (StoredSlices(results / name) for name in names(image, "images", "fbp"))
        assert geometry.pixel_mm == pytest.approx(original.pixel_mm)
        assert projections.shape == (len(original), VIEWS, geometry.detectors)
        assert np.allclose(reconstruct_fbp(projections, geometry)[0], fbp[0], atol=0.01)
        assert np.abs(fbp[0] - original[0]).mean() < 150


def test_draw_views(results):
    picture = read_picture(results / "figures/views.png")
    assert picture.shape[1] > 1.8 * picture.shape[0]
    assert picture.std() > 20


@pytest.mark.parametrize("run", MODELS)
def test_train_trunk(results, run):
    network, card = load_model(results / f"models/{run}/fixed_1.safetensors", torch.device("cpu"))
    assert card.inputs["window_hu"] == list(WINDOW_HU)
    assert card.inputs["kind"] == run.split("_")[0]
    assert [record["batch_size"] for record in card.history] == [1, 1, 1]
    states = sorted(path.name for path in (results / f"models/{run}").glob("after_*.ckpt"))
    assert states == ["after_1.ckpt", "after_2.ckpt"]
    assert network(torch.rand(1, 1, 48, 48)).shape == (1, 1, 48, 48)


def test_train_denoiser(results):
    network, card = load_model(results / f"models/denoiser_{VIEWS}.safetensors", torch.device("cpu"))
    assert card.inputs["kind"] == "crop"
    assert card.training["schedule"] == "t31/1-2-4"
    assert [record["updates"] for record in card.history] == [15, 7, 4]
    assert network(torch.rand(1, 1, 48, 48)).shape == (1, 1, 48, 48)


def test_train_schedule(results):
    cards = {
        path.stem: json.loads(path.read_text())
        for path in (results / "models/crop_20_sigmoid_0").glob("*.json")
        if not path.name.endswith(".provenance.json")
    }
    assert set(cards) == {"fixed_1", "fixed_4", "t31_1-2-4", "t31_1-2-4_decayed"}
    trunk, grown, decayed = (cards[name]["history"] for name in ("fixed_1", "t31_1-2-4", "t31_1-2-4_decayed"))
    assert [record["batch_size"] for record in grown] == [1, 2, 4]
    assert [record["updates"] for record in grown] == [12, 6, 3]
    rates = [record["learning_rate"] for record in decayed]
    assert rates == pytest.approx([rates[0], rates[0] / 2, rates[0] / 4])
    assert trunk[0] == grown[0] == decayed[0]
    assert trunk[1] != grown[1] != decayed[1]


def test_denoise_images(results, unseen):
    for image in unseen:
        fbp, denoised = (read_nifti(results / name) for name in names(image, "fbp", "denoised"))
        assert np.allclose(fbp.affine, denoised.affine)
        assert denoised.values.shape == fbp.values.shape
        assert WINDOW_HU[0] <= denoised.values.min() < denoised.values.max() <= WINDOW_HU[1]


def test_choose_tv_weight(results):
    table = pd.read_csv(results / f"tv/weights_{VIEWS}.csv")
    assert table["chosen"].sum() == 1
    assert table.loc[table["chosen"], "psnr_db"].item() == table["psnr_db"].max()


def test_reconstruct_tv(results, unseen):
    for image in unseen:
        original, fbp, tv = (
            read_nifti(results / name).values for name in names(image, "images", "fbp", "tv")
        )
        assert np.sqrt(((tv - original) ** 2).mean()) < np.sqrt(((fbp - original) ** 2).mean())


def test_score_images(results, unseen):
    scores = pd.read_csv(results / f"scores/{VIEWS}.csv")
    assert (
        set(scores["method"]) == set(METHODS) == {f"fbp_{window}" for window in WINDOWS} | {"tv", "denoiser"}
    )
    assert set(scores["image"]) == set(unseen)
    image = unseen[0]
    original, fbp = (np.stack(list(StoredSlices(results / name))) for name in names(image, "images", "fbp"))
    again = score_slices(original, fbp, WINDOW_HU)
    ours = scores[(scores["image"] == image) & (scores["method"] == "fbp_ramp")]
    assert ours["psnr_db"].to_numpy() == pytest.approx(again["psnr_db"].to_numpy(), abs=1e-6)


def test_evaluate_sparse_ct(tiny_run, results):
    quality = pd.read_csv(results / "quality.csv")
    assert set(quality["data_range"]) == {1.0}
    metrics = json.loads((tiny_run / "results/metrics/sparse_ct.json").read_text())
    for size, rows in quality.groupby("size_px"):
        best = rows[rows["method"].str.startswith("fbp")]["psnr_db"].max()
        denoiser = rows.set_index("method").at["denoiser", "psnr_db"]
        case = f"test_{VIEWS}views_{size}px"
        assert metrics[f"{case}_denoiser_psnr_db"] == pytest.approx(denoiser)
        assert metrics[f"{case}_denoiser_gain_over_best_fbp_db"] == pytest.approx(denoiser - best)
    assert "validation_gain_over_batch_1_crop_sigmoid_t31_1-2-4_decayed_db" in metrics


def test_compare_batch_growth(results):
    table = pd.read_csv(results / "batch_growth.csv")
    rows = list(zip(table["sizing"], table["schedule"], table["control"], strict=True))
    assert rows == [
        ("crop", "fixed/1", "batch"),
        ("crop", "fixed/4", "batch"),
        ("crop", "t31/1-2-4", "batch"),
        ("crop", "t31/1-2-4", "learning rate"),
        ("resize", "fixed/1", "batch"),
        ("resize", "t32/1-2", "batch"),
        ("resize", "t32/1-2", "learning rate"),
    ]
    thesis = table.set_index(["sizing", "schedule", "control"])["thesis_validation_psnr"]
    assert thesis["crop", "t31/1-2-4", "batch"] == 43.586
    assert thesis["resize", "fixed/1", "batch"] == 42.306
    assert np.isnan(thesis["crop", "t31/1-2-4", "learning rate"])
    card = json.loads((results / "models/resize_20_sigmoid_0/t32_1-2.json").read_text())
    assert table["validation_psnr"][5] == pytest.approx(card["history"][-1]["validation_psnr"])


def test_draw_batch_growth(results):
    figures = {path.name for path in (results / "figures").glob("*_sigmoid.png")}
    assert figures == {"fixed_crop_sigmoid.png", "growing_crop_sigmoid.png", "growing_resize_sigmoid.png"}
    for name in figures:
        assert read_picture(results / "figures" / name).std() > 5


def test_draw_denoised(results):
    for sizing in ("crop", "resize"):
        assert read_picture(results / f"figures/denoised_{sizing}.png").std() > 20


def test_measure_steps(results, root):
    memory = yaml.safe_load((root / "tests/tiny.yaml").read_text())["sparse_ct"]["memory"]
    steps = pd.read_csv(results / "batch_growth.cost.csv")
    assert set(steps["batch_size"]) == set(memory["batch_sizes"])
    assert (steps[["peak_mb", "seconds_per_image"]] > 0).all(axis=None)
    assert set(pd.read_csv(results / "largest_batch.cost.csv")["option"]) == set(steps["option"])
