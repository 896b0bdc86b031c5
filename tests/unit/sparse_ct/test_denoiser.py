from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from medscale.sparse_ct.denoiser import DenoiserSettings, PairFiles, denoise, denoise_images, train_denoiser
from medscale.sparse_ct.image_files import read_stored
from medscale.sparse_ct.images import CtImage, write_image
from medscale.sparse_ct.pairs import Sizing
from medscale.training.models import ModelCard

WINDOW_HU = (-1000.0, 2000.0)
CONFIG = {
    "window_hu": list(WINDOW_HU),
    "denoiser": {
        "network": {"name": "unet", "width": 4, "depth": 2},
        "output": "sigmoid",
        "size_px": 32,
        "epochs": 6,
        "samples_per_epoch": 40,
        "validation_samples": 4,
        "learning_rates": {"sigmoid": 0.5, "none": 0.05},
        "optimisation": {"optimiser": "sgd", "momentum": 0.9},
        "schedule": "t31/1-2-4",
        "precision": "float32",
        "micro_batch": None,
    },
}
CPU = torch.device("cpu")


@pytest.fixture
def pairs(tmp_path):
    """Discs, and the same with stripes that a network can learn to remove."""
    rng = np.random.default_rng(0)
    row, column = np.indices((40, 40)) - 20
    radii = rng.uniform(8, 16, 4)
    clean = np.stack([np.where(np.hypot(row, column) < radius, 300.0, -800.0) for radius in radii])
    striped = clean + 400 * (column % 4 == 0)
    paths = []
    for name, hu in (("striped", striped), ("clean", clean)):
        write_image(CtImage.of_slices(hu.astype(np.float32), 1.0), tmp_path / f"{name}.nii")
        paths.append(str(tmp_path / f"{name}.nii"))
    return PairFiles([paths[0]], [paths[1]])


def train(pairs, folder, schedule="fixed/1", **run):
    settings = DenoiserSettings.of(CONFIG, {"sizing": "crop", "output": "sigmoid"} | run, schedule)
    return train_denoiser(pairs, pairs, settings, seed=1, device=CPU, checkpoints=folder / "run")


def test_the_configuration_becomes_settings():
    run = {"sizing": "resize", "output": "none", "control": "_decayed"}
    settings = DenoiserSettings.of(CONFIG, run, "t32/1-2")
    assert settings.network == {"name": "unet", "width": 4, "depth": 2, "output": "none"}
    assert settings.sizing == Sizing("resize", 32)
    assert settings.optimisation == {"optimiser": "sgd", "momentum": 0.9, "learning_rate": 0.05}
    assert (settings.schedule, settings.decay_learning_rate) == ("t32/1-2", True)
    assert not DenoiserSettings.of(CONFIG, {**run, "control": ""}, "t32/1-2").decay_learning_rate


def test_a_network_learns_to_remove_what_disturbs(pairs, tmp_path):
    network, card = train(pairs, tmp_path)
    striped, clean = (read_stored(path).hu for path in (pairs.inputs[0], pairs.targets[0]))
    restored = denoise(network.eval(), card, striped, CPU)
    assert np.abs(restored - clean).mean() < 0.6 * np.abs(striped - clean).mean()
    assert card.history[-1]["validation_psnr"] > card.history[0]["validation_psnr"]


def test_the_card_says_what_is_needed_to_repeat_and_to_use_the_network(pairs, tmp_path):
    _, card = train(pairs, tmp_path, "t31/1-2-4")
    assert card.inputs == {"window_hu": [-1000.0, 2000.0], "kind": "crop", "size_px": 32}
    assert card.training["batch_sizes"] == "1 to epoch 4, 2 to epoch 5, 4 to epoch 6"
    assert (card.training["seed"], card.training["slices"]) == (1, 4)
    assert card.network["output"] == "sigmoid"


def test_the_control_keeps_the_batch_and_lowers_the_learning_rate(pairs, tmp_path):
    _, card = train(pairs, tmp_path, "t31/1-2-4", control="_decayed")
    assert [record["batch_size"] for record in card.history] == [1] * 6
    assert [record["learning_rate"] for record in card.history[-3:]] == [0.5, 0.25, 0.125]


def test_slices_of_any_size_go_through_the_window_and_back(tmp_path):
    identity = nn.Identity()
    card = ModelCard({}, {"window_hu": list(WINDOW_HU)}, {}, [])
    hu = np.linspace(-3000, 4000, 2 * 21 * 21, dtype=np.float32).reshape(2, 21, 21)
    assert np.allclose(denoise(identity, card, hu, CPU), hu.clip(*WINDOW_HU), atol=1e-3)
    image = CtImage.of_slices(hu, 0.7, 2.5)
    write_image(image, tmp_path / "fbp.nii")
    denoise_images(identity, card, [tmp_path / "fbp.nii"], [tmp_path / "out.nii.gz"], CPU)
    restored = read_stored(tmp_path / "out.nii.gz")
    assert np.allclose(restored.affine, image.affine)
    assert np.allclose(restored.hu, hu.clip(*WINDOW_HU), atol=1e-3)


def test_other_seeds_give_other_networks(pairs, tmp_path):
    settings = replace(
        DenoiserSettings.of(CONFIG, {"sizing": "crop", "output": "sigmoid"}, "fixed/4"), epochs=1
    )
    weights = []
    for seed in (1, 1, 2):
        network, _ = train_denoiser(
            pairs, pairs, settings, seed=seed, device=CPU, checkpoints=tmp_path / str(seed)
        )
        weights.append(torch.cat([part.flatten() for part in network.parameters()]))
    assert torch.equal(weights[0], weights[1])
    assert not torch.allclose(weights[0], weights[2])
