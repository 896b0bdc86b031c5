"""The networks that tell the classes of brain MR and breast ultrasound images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from medscale.errors import InputError
from medscale.networks.registry import CLASSIFIERS, build_network
from medscale.scans.image_networks import check_size, complete_network, predict_images
from medscale.scans.image_samples import image_samples
from medscale.scans.predictions import tabulate_predictions
from medscale.scans.prepared_images import PreparedImages
from medscale.scans.sample_training import fit_samples
from medscale.scans.subsets import draw_share
from medscale.scans.training_settings import TrainingSettings
from medscale.seeds import derive_seed
from medscale.training.classification import Classification
from medscale.training.models import ModelCard
from medscale.training.optimisation import Optimisation
from medscale.training.scan_feeds import ImageFeed
from medscale.training.spatial_augmentation import SpatialAugmentation


@dataclass(frozen=True)
class ClassifierSettings(TrainingSettings):
    """What a training is described by in the configuration; outputs, channels and size follow from images.

    Attributes
    ----------
    augmentation : dict or None
        Fields of `SpatialAugmentation`; None for none at all.
    """

    augmentation: dict[str, Any] | None = None


def train_image_classifier(
    images: PreparedImages,
    sheet: pd.DataFrame,
    classes: Sequence[str],
    settings: ClassifierSettings,
    *,
    share: float = 1.0,
    seed: int,
    device: torch.device,
    checkpoints: Path,
) -> tuple[nn.Module, ModelCard]:
    """Train a network on the images of the split train and return it with its card.

    The weights of the last epoch are kept: the split validation is watched and chooses nothing. The report
    (section 4) trains with cross entropy, AdamW and a bound on the weights.

    Parameters
    ----------
    images : PreparedImages
        All images of the sheet at least.
    sheet : DataFrame
        Scan sheet; rows of the split test are not looked at.
    classes : sequence of str
        In the order of the outputs.
    share : float
        Share of the groups of the split train that is learnt from, see `draw_share`.
    seed : int
        Draws the first weights, the order of the images, their augmentation, dropout, and the share. The
        share is the same for all networks and settings.
    checkpoints : Path
        Folder from which a killed training resumes.

    Raises
    ------
    InputError
        If the network is no classifier or cannot take images of this size, an image is not prepared or of
        another class, or the share is out of its range.
    """
    described = complete_network(
        settings.network, CLASSIFIERS, outputs=len(classes), channels_in=1, size_px=images.size_px
    )
    drawn = draw_share(sheet[sheet["split"] == "train"], share, seed)
    others = sheet[sheet["split"] == "validation"]
    samples = image_samples(*_pick(images, drawn, classes), derive_seed(seed, "augment"))
    task = _task(described, settings, seed)
    watched = image_samples(*_pick(images, others, classes))
    fit_samples(task, samples, watched, settings, seed=seed, device=device, checkpoints=checkpoints)
    inputs = {"classes": list(classes), "size_px": images.size_px}
    facts = {"samples": len(samples), "seed": seed, "share": share}
    training = settings.describe()
    return task.network, ModelCard(described, inputs, training | facts, task.history)


def classify_images(
    network: nn.Module, card: ModelCard, images: PreparedImages, sheet: pd.DataFrame, device: torch.device
) -> pd.DataFrame:
    """Return what a network says about every image of a sheet.

    Parameters
    ----------
    network, card
        As `train_image_classifier` or `load_model` returns them.

    Returns
    -------
    DataFrame
        As `tabulate_predictions`; probabilities are float32.

    Raises
    ------
    InputError
        If an image is not prepared, or has another size than those that the network was trained on.
    """
    check_size(card, images)
    classes = card.inputs["classes"]
    pixels, _ = images.pick(sheet["image"])
    parts = [logits.softmax(dim=1).cpu().numpy() for logits in predict_images(network, pixels, device)]
    probabilities = np.concatenate([np.zeros((0, len(classes)), np.float32), *parts])
    return tabulate_predictions(sheet, classes, probabilities)


def _task(described: dict[str, Any], settings: ClassifierSettings, seed: int) -> Classification:
    augmentation = settings.augmentation
    network = build_network(seed=derive_seed(seed, "weights"), **described)
    return Classification(
        network.to(memory_format=torch.channels_last),
        Optimisation(**settings.optimisation),
        ImageFeed(None if augmentation is None else SpatialAugmentation(**augmentation)),
        seed=seed,
    )


def _pick(
    images: PreparedImages, rows: pd.DataFrame, classes: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels of the images in these rows, and the numbers of their classes, int64."""
    labels = pd.Index(classes).get_indexer(rows["class"]).astype(np.int64)
    if (labels < 0).any():
        row = rows.iloc[int(np.argmin(labels))]
        mend = "Name all classes of the sheet."
        raise InputError(
            f"image {row['image']}", f"class {row['class']}", f"one of {', '.join(classes)}", mend
        )
    return images.pick(rows["image"])[0], labels
