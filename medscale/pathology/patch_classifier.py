"""The network that tells patches with tumour from patches without."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from medscale.networks.imagenet import MEAN, SPREAD, normalise
from medscale.networks.registry import build_network
from medscale.networks.weights import load_pretrained
from medscale.pathology.patch_data import PatchDataset, SlideFiles, load_batches
from medscale.seeds import derive_seed, generator
from medscale.training.batch_schedules import parse_schedule
from medscale.training.batches import EpochBatches
from medscale.training.classification import Classification
from medscale.training.fitting import fit
from medscale.training.models import ModelCard
from medscale.training.optimisation import Optimisation
from medscale.training.patch_feed import Augmentation, PatchFeed

CLASSES = ["tumour"]
PREDICTION_BATCH = 256


@dataclass(frozen=True)
class TrainingSettings:
    """The `network` and `training` sections of the configuration; units in the names."""

    network: dict[str, Any]
    batch_schedule: str
    epochs: int
    samples_per_epoch: int | None
    optimisation: dict[str, Any]
    augmentation: dict[str, Any]
    validation_patches: int
    memory_gb: float
    loader_workers: int
    weights: str | None = None


def train_classifier(
    manifest: pd.DataFrame,
    validation: pd.DataFrame,
    files: SlideFiles,
    settings: TrainingSettings,
    *,
    seed: int,
    device: torch.device,
    checkpoints: Path,
) -> tuple[nn.Module, ModelCard]:
    """Train a network on the patches of `manifest` and return it with its card.

    Binary cross entropy on one output (thesis, sections 2.2.1 and 2.3.1). The weights of the last
    epoch are kept: nothing is chosen by the validation patches, which are only watched.

    Parameters
    ----------
    manifest : DataFrame
        Balanced manifest (see `balancing`).
    validation : DataFrame
        Patch grid of slides of other patients; may be empty.
    seed : int
        Draws the first weights and the order of the patches.
    checkpoints : Path
        Folder from which a killed training resumes.
    """
    network = build_network(seed=derive_seed(seed, "weights"), outputs=1, **settings.network)
    if settings.weights:
        load_pretrained(network, settings.weights)
    task = Classification(
        network.to(memory_format=torch.channels_last),
        Optimisation(**settings.optimisation),
        PatchFeed(Augmentation(**settings.augmentation)),
        seed=seed,
    )
    dataset = PatchDataset(manifest, files, settings.memory_gb)
    order = EpochBatches(
        len(manifest),
        parse_schedule(settings.batch_schedule, settings.epochs),
        derive_seed(seed, "order"),
        settings.samples_per_epoch,
    )
    watched = _validation_loader(validation, files, settings, seed)
    train = load_batches(dataset, order, settings.loader_workers)
    fit(task, train, watched, epochs=settings.epochs, device=device, checkpoints=checkpoints)
    card = ModelCard(
        network={**settings.network, "outputs": 1},
        inputs={
            "classes": CLASSES,
            "size_px": int(manifest["size_px"].iloc[0]),
            "um_px": float(manifest["mpp"].iloc[0]),
            "mean": list(MEAN),
            "spread": list(SPREAD),
        },
        training={"samples": len(manifest), "seed": seed, **_described(settings)},
        history=task.history,
    )
    return task.network, card


def score_patches(network: nn.Module, patches: np.ndarray, device: torch.device) -> np.ndarray:
    """Return the tumour probability of each patch.

    Parameters
    ----------
    patches : ndarray of uint8, shape (n, size, size, 3)

    Returns
    -------
    ndarray of float32, shape (n,)
    """
    scores = np.empty(len(patches), np.float32)
    with torch.inference_mode():
        for start in range(0, len(patches), PREDICTION_BATCH):
            part = torch.from_numpy(patches[start : start + PREDICTION_BATCH]).to(device)
            # Permuted, not copied: the memory stays in channels-last order, the fast one.
            images = part.permute(0, 3, 1, 2).float() / 255
            logits = network(normalise(images)).squeeze(1)
            scores[start : start + PREDICTION_BATCH] = torch.sigmoid(logits).float().cpu().numpy()
    return scores


def _validation_loader(patches: pd.DataFrame, files: SlideFiles, settings: TrainingSettings, seed: int):
    if not len(patches) or not settings.validation_patches:
        return None
    chosen = draw_patches(patches, settings.validation_patches, seed)
    rows = np.array_split(np.arange(len(chosen)), np.ceil(len(chosen) / PREDICTION_BATCH))
    dataset = PatchDataset(chosen, files, settings.memory_gb)
    return load_batches(dataset, [part.tolist() for part in rows], settings.loader_workers)


def draw_patches(grid: pd.DataFrame, count: int, seed: int) -> pd.DataFrame:
    """Return at most `count` patches of `grid`, half of them tumour if there are so many."""
    parts = []
    for label, part in grid.groupby("label"):
        rng = generator(seed, "draw", int(label))
        parts.append(part.iloc[np.sort(rng.permutation(len(part))[: count // 2])])
    return pd.concat(parts, ignore_index=True)


def _described(settings: TrainingSettings) -> dict[str, Any]:
    return {key: value for key, value in vars(settings).items() if key != "network"}
