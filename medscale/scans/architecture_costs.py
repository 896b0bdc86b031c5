"""What networks and other methods cost: training, memory of a training step, and inference."""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from medscale.files.provenance import read_seconds
from medscale.networks.classifiers.auxiliary import combine_losses
from medscale.networks.registry import build_network
from medscale.scans.architecture_table import Cards
from medscale.scans.image_networks import predict_images
from medscale.scans.trainings import Training
from medscale.seeds import generator
from medscale.training.classification import classification_loss
from medscale.training.memory import Step, StepCost, measure_step
from medscale.training.optimisation import Optimisation, build_optimiser

# Batch norm over a single pixel cannot train on one image alone.
SMALLEST_BATCH = 2
TIMED_IMAGES = 32
COLUMNS = [
    "network",
    "epochs",
    "batch_size",
    "training_seconds",
    "step_seconds_per_image",
    "step_peak_mb",
    "inference_seconds_per_image",
]


def measure_classifiers(
    trainings: Sequence[Training],
    cards: Cards,
    files: Mapping[str, Sequence[str | Path]],
    device: torch.device,
) -> pd.DataFrame:
    """Return one row for each network or method.

    Parameters
    ----------
    trainings : sequence of Training
    cards : mapping
        Model cards, as read from JSON, by the names of the trainings; other methods than networks have none.
    files : mapping of str to sequence of path
        By the names of the trainings: what the job of each seed wrote, beside which the sidecar has its
        seconds. Weights of networks; predictions of other methods.
    device : torch.device
        On which steps and inference are measured.

    Returns
    -------
    DataFrame
        `COLUMNS`. `training_seconds` is the mean over seeds of whole jobs, missing where no sidecar is;
        methods on hand-made features share one job, whose seconds stand in all their rows. `step_peak_mb`
        is in 10^6 bytes. What concerns networks is missing for other methods.
    """
    rows = []
    for training in trainings:
        seconds = pd.Series([read_seconds(path) for path in files[training.name]], dtype=float)
        row: dict[str, object] = {"network": training.network, "training_seconds": seconds.mean()}
        if training.name in cards:
            row |= _measure_network(cards[training.name], device)
        rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS).astype({"epochs": "Int64", "batch_size": "Int64"})


def measure_training_step(card: Mapping[str, Any], device: torch.device) -> StepCost:
    """Measure a step of the training that a model card describes, with random images and no augmentation."""
    return measure_step(partial(_build_step, card, device=device), card["training"]["batch_size"], device)


def measure_inference(card: Mapping[str, Any], device: torch.device, images: int = TIMED_IMAGES) -> float:
    """Return the seconds that the prediction of one image takes, of a batch of random ones."""
    network = build_network(seed=0, **card["network"])
    size_px = card["inputs"]["size_px"]
    pixels = generator(0, "inference").integers(0, 256, (images, size_px, size_px)).astype(np.uint8)
    seconds = 0.0
    # The first round also loads code.
    for _ in range(2):
        started = time.perf_counter()
        for logits in predict_images(network, pixels, device):
            logits.cpu()
        seconds = time.perf_counter() - started
    return seconds / images


def _measure_network(card: Mapping[str, Any], device: torch.device) -> dict[str, object]:
    cost = measure_training_step(card, device)
    return {
        "epochs": card["training"]["epochs"],
        "batch_size": cost.batch_size,
        "step_seconds_per_image": cost.seconds_per_image,
        "step_peak_mb": cost.peak_bytes / 1e6,
        "inference_seconds_per_image": measure_inference(card, device),
    }


def _build_step(card: Mapping[str, Any], batch_size: int, device: torch.device) -> Step:
    network = build_network(seed=0, **card["network"]).to(device, memory_format=torch.channels_last).train()
    optimiser = build_optimiser(network, Optimisation(**card["training"]["optimisation"]))
    size_px, classes = card["inputs"]["size_px"], len(card["inputs"]["classes"])
    count = max(batch_size, SMALLEST_BATCH)
    images = torch.rand((count, 1, size_px, size_px), device=device)
    labels = torch.randint(classes, (count,), device=device)

    def step() -> None:
        optimiser.zero_grad()
        combine_losses(network(images), lambda logits: classification_loss(logits, labels)).backward()
        optimiser.step()

    return step
