"""What the networks of the comparison cost: training, memory of a training step, and inference."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from medscale.files.provenance import read_seconds
from medscale.kits19.cases import CLASSES
from medscale.networks.parameter_count import count_parameters
from medscale.networks.registry import build_network
from medscale.training.memory import Step, StepCost, measure_step
from medscale.training.optimisation import Optimisation
from medscale.training.segmentation import Classes, Segmentation
from medscale.training.segmentation_losses import build_loss

# Batch norm after the pooling of a whole image cannot train on one image alone.
SMALLEST_BATCH = 2
COLUMNS = [
    "network",
    "parameters",
    "epochs",
    "batch_size",
    "training_seconds",
    "step_peak_mb",
    "step_seconds_per_sample",
    "inference_seconds_per_case",
    "inference_slices_per_second",
]


def measure_segmenters(
    networks: Sequence[str],
    cards: Sequence[Mapping[str, Any]],
    weights: Sequence[str | Path],
    inferences: Sequence[pd.DataFrame],
    device: torch.device,
) -> pd.DataFrame:
    """Return one row for each network; one that was trained with several seeds is averaged over them.

    Parameters
    ----------
    networks : sequence of str
        Of each training.
    cards : sequence of mapping
        Their model cards, as read from JSON.
    weights : sequence of str or Path
        Their weights, beside whose sidecars the seconds of the training stand.
    inferences : sequence of DataFrame
        Of `predict_cases`.
    device : torch.device
        On which a step of each network is measured.

    Returns
    -------
    DataFrame
        `COLUMNS`. `training_seconds` is the time of the whole job, of one that was killed only what came
        after, and missing where there is no sidecar; `step_peak_mb` is in 10^6 bytes.
    """
    rows = []
    for network in dict.fromkeys(networks):
        own = [number for number, name in enumerate(networks) if name == network]
        card, cases = cards[own[0]], pd.concat([inferences[number] for number in own])
        cost = measure_training_step(card, device)
        rows.append(
            {
                "network": network,
                "parameters": count_parameters(build_network(seed=0, **card["network"])),
                "epochs": card["training"]["epochs"],
                "batch_size": cost.batch_size,
                "training_seconds": pd.Series([read_seconds(weights[n]) for n in own]).mean(),
                "step_peak_mb": cost.peak_bytes / 1e6,
                "step_seconds_per_sample": cost.seconds_per_image,
                "inference_seconds_per_case": cases["seconds"].mean(),
                "inference_slices_per_second": cases["slices"].sum() / cases["seconds"].sum(),
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def measure_training_step(card: Mapping[str, Any], device: torch.device) -> StepCost:
    """Measure a step of the training that a model card describes, with random images and no augmentation."""
    batch_size = card["training"]["batch_size"]
    return measure_step(partial(_build_step, card, device=device), batch_size, device)


def _build_step(card: Mapping[str, Any], batch_size: int, device: torch.device) -> Step:
    training, inputs = card["training"], card["inputs"]
    task = Segmentation(
        build_network(seed=0, **card["network"]),
        build_loss(class_weights=training["class_weights"], **training["loss"]),
        Classes(CLASSES, training["class_weights"]),
        Optimisation(**training["optimisation"]),
        epochs=training["epochs"],
        precision=training["precision"],
    ).to(device)
    optimiser = task.configure_optimizers()
    count = max(batch_size, min(SMALLEST_BATCH, training["batch_size"]))
    depth = [] if inputs["slices"] is None else [inputs["slices"]]
    shape = (count, *depth, inputs["size_px"], inputs["size_px"])
    images = torch.rand(shape, device=device)[:, None]
    labels = torch.randint(len(CLASSES), shape, dtype=torch.uint8, device=device)

    def step() -> None:
        optimiser.zero_grad()
        task.loss(task(images), labels).backward()
        optimiser.step()

    return step
