"""The networks that outline tumours in breast ultrasound images, alone or with a classifier's aid."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from medscale.errors import InputError
from medscale.networks.registry import RESTORERS, SEGMENTERS, build_network
from medscale.scans.image_networks import check_size, complete_network, predict_images
from medscale.scans.image_samples import Samples, mask_samples
from medscale.scans.prepared_images import PreparedImages
from medscale.scans.sample_training import fit_samples
from medscale.scans.sheets import check_in_sheet
from medscale.scans.training_settings import TrainingSettings
from medscale.seeds import derive_seed
from medscale.training.mask_segmentation import MaskBatch, MaskSegmentation
from medscale.training.models import ModelCard
from medscale.training.optimisation import Optimisation
from medscale.training.spatial_augmentation import SpatialAugmentation

# A probability of 1 in files; one of 0.5, from where on a pixel is tumour, rounds to 128.
CERTAIN = 255


@dataclass(frozen=True)
class SegmenterSettings(TrainingSettings):
    """What a training is described by in the configuration; the network's channels follow from the images.

    Attributes
    ----------
    loss : str
        One of `MASK_LOSSES`.
    augmentation : dict or None
        Fields of `SpatialAugmentation`; None for none at all.
    """

    loss: str
    augmentation: dict[str, Any] | None = None


def train_mask_segmenter(
    images: PreparedImages,
    sheet: pd.DataFrame,
    settings: SegmenterSettings,
    *,
    emptied: Collection[str] = (),
    seed: int,
    device: torch.device,
    checkpoints: Path,
) -> tuple[nn.Module, ModelCard]:
    """Train a network on the images of the split train and return it with its card.

    The weights of the last epoch are kept: the split validation is watched and chooses nothing.

    Parameters
    ----------
    images : PreparedImages
        All images of the sheet at least.
    sheet : DataFrame
        Scan sheet; rows of the split test are not looked at.
    emptied : collection of str
        Images that a classifier calls tumour-free. What the network marks in them is emptied, in training
        and in watching, so that it learns nothing from them (the report, section 4, part 3).
    seed : int
        Draws the first weights, the order of the images, their augmentation, and dropout: trainings with
        and without aid start alike.
    checkpoints : Path
        Folder from which a killed training resumes.

    Raises
    ------
    InputError
        If the network is no segmenter of images, the loss is unknown, an image is not prepared, or an
        emptied one is not in the sheet.
    """
    check_in_sheet(emptied, sheet)
    network, described = _build(settings.network, derive_seed(seed, "weights"))
    samples = _samples(images, sheet, "train", emptied, derive_seed(seed, "augment"))
    augmentation = settings.augmentation
    task = MaskSegmentation(
        network,
        settings.loss,
        Optimisation(**settings.optimisation),
        augmentation=None if augmentation is None else SpatialAugmentation(**augmentation),
        seed=seed,
    )
    watched = _samples(images, sheet, "validation", emptied)
    fit_samples(task, samples, watched, settings, seed=seed, device=device, checkpoints=checkpoints)
    *_, kept = samples.arrays
    facts = {"samples": len(samples), "emptied_samples": int((~kept).sum()), "seed": seed}
    training = settings.describe()
    inputs = {"classes": ["tumour"], "size_px": images.size_px}
    return task.network, ModelCard(described, inputs, training | facts, task.history)


def outline_tumours(
    network: nn.Module, card: ModelCard, images: PreparedImages, sheet: pd.DataFrame, device: torch.device
) -> np.ndarray:
    """Return the tumour probability of every pixel of the images of a sheet, in its order.

    Parameters
    ----------
    network, card
        As `train_mask_segmenter` or `load_model` returns them.

    Returns
    -------
    ndarray of uint8, shape (n, size, size)
        Probabilities in 255ths; 128 and more stand for 0.5 and more exactly.

    Raises
    ------
    InputError
        If an image is not prepared, or has another size than those that the network was trained on.
    """
    check_size(card, images)
    pixels, _ = images.pick(sheet["image"])
    outlines, start = np.empty_like(pixels), 0
    for logits in predict_images(network, pixels, device):
        outlines[start : start + len(logits)] = to_bytes(logits.squeeze(1).sigmoid()).cpu().numpy()
        start += len(logits)
    return outlines


def to_bytes(probabilities: torch.Tensor) -> torch.Tensor:
    """Return probabilities, float32, as uint8 from 0 to 255; those from 0.5 on become 128 and more."""
    # Half of 255 is rounded to the even neighbour, which is 128.
    return (probabilities * CERTAIN).round().to(torch.uint8)


def _build(network: dict[str, Any], seed: int) -> tuple[nn.Module, dict[str, Any]]:
    known = [*RESTORERS, *SEGMENTERS]
    described = complete_network(network, known, channels_in=1, channels_out=1, output="none")
    built = build_network(seed=seed, **described)
    if getattr(built, "dimensions", 2) != 2:
        found = f"{network['name']}, a network for blocks of slices"
        raise InputError("network.name", found, "one for single images", "Choose another network.")
    return built, described


def _samples(
    images: PreparedImages, sheet: pd.DataFrame, split: str, emptied: Collection[str], seed: int = 0
) -> Samples[MaskBatch]:
    names = sheet.loc[sheet["split"] == split, "image"]
    kept = ~names.isin(list(emptied)).to_numpy(bool)
    return mask_samples(*images.pick(names), kept, seed)
