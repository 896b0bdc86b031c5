"""The 3D networks that tell classes of subjects from their volumes, their age and sex, or both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from medscale.errors import InputError
from medscale.networks.registry import VOLUME_CLASSIFIERS, build_network
from medscale.scans.demographics import ScoreScale
from medscale.scans.image_networks import complete_network
from medscale.scans.image_samples import Samples
from medscale.scans.predictions import tabulate_predictions
from medscale.scans.sample_training import fit_samples
from medscale.scans.training_settings import TrainingSettings
from medscale.scans.volumes import read_prepared_volume
from medscale.seeds import derive_seed
from medscale.training.classification import Classification
from medscale.training.models import ModelCard
from medscale.training.optimisation import Optimisation
from medscale.training.scan_feeds import VolumeBatch, VolumeFeed

# What a network is shown, and what this is called by the network itself.
INPUTS = {"image": "image", "demographics": "scores", "both": "both"}
PREDICTION_BATCH = 16
# Stands for volumes that nobody looks at.
NO_IMAGE = (1, 1, 1, 1)


@dataclass(frozen=True)
class VolumeSettings(TrainingSettings):
    """What a training is described by in the configuration; shapes and scores follow from the subjects.

    Attributes
    ----------
    flip : bool
        Whether left and right are exchanged in half of the samples.
    """

    flip: bool = False


def train_volume_classifier(
    prepared: Mapping[str, str | Path],
    sheet: pd.DataFrame,
    classes: Sequence[str],
    scores: Sequence[str],
    settings: VolumeSettings,
    inputs: str,
    *,
    seed: int,
    device: torch.device,
    checkpoints: Path,
) -> tuple[nn.Module, ModelCard]:
    """Train a network on the subjects of the split train and return it with its card.

    Cross entropy. The weights of the last epoch are kept: the split validation, which may be empty, is
    watched and chooses nothing. Scores are scaled by what the training subjects have (see `ScoreScale`).

    Parameters
    ----------
    prepared : mapping of str to Path
        File of each subject, of `prepare_volumes`; not read where `inputs` is `demographics`.
    sheet : DataFrame
        Usable subjects of a subject sheet; rows of the split test are not looked at.
    classes : sequence of str
        In the order of the outputs.
    scores : sequence of str
        Which scores the network is told; for `image` they are not used.
    inputs : {"image", "demographics", "both"}
        What the network is shown.
    seed : int
        Draws the first weights, the order of the subjects, flips, and dropout.
    checkpoints : Path
        Folder from which a killed training resumes.

    Raises
    ------
    InputError
        For unknown `inputs`, none of the scores to show, too few subjects in train, or volumes that are
        missing, damaged, or not of one shape.
    """
    _check_inputs(inputs, scores)
    rows = {split: sheet[sheet["split"] == split] for split in ("train", "validation")}
    _check_enough(len(rows["train"]))
    scale = ScoreScale.fit(rows["train"], scores if inputs != "image" else ())
    train = _collect(prepared, rows["train"], scale, inputs)
    watched = _collect(prepared, rows["validation"], scale, inputs, train[0].shape[1:])
    facts = {"channels_in": train[0].shape[1], "scores": train[1].shape[1], "inputs": INPUTS[inputs]}
    described = complete_network(settings.network, VOLUME_CLASSIFIERS, outputs=len(classes), **facts)
    task = _task(described, settings, seed)
    samples = _samples(train, rows["train"], classes, derive_seed(seed, "augment"))
    others = _samples(watched, rows["validation"], classes, 0)
    fit_samples(task, samples, others, settings, seed=seed, device=device, checkpoints=checkpoints)
    facts = {"classes": list(classes), "inputs": inputs, "score_scale": scale.describe()}
    facts["shape"] = None if inputs == "demographics" else list(train[0].shape[1:])
    training = settings.describe() | {"samples": len(samples), "seed": seed}
    return task.network, ModelCard(described, facts, training, task.history)


def classify_subjects(
    network: nn.Module,
    card: ModelCard,
    prepared: Mapping[str, str | Path],
    sheet: pd.DataFrame,
    device: torch.device,
) -> pd.DataFrame:
    """Return what a network says about every subject of a sheet.

    Parameters
    ----------
    network, card
        As `train_volume_classifier` or `load_model` returns them.
    prepared, sheet
        As for `train_volume_classifier`.

    Returns
    -------
    DataFrame
        subject, split, class (of the sheet, in its order), predicted (the most probable class), and for each
        class its probability p_{class}, float32.

    Raises
    ------
    InputError
        If volumes are missing, damaged, or of another shape than those that the network was trained on.
    """
    scale, shape = ScoreScale.restore(card.inputs["score_scale"]), card.inputs["shape"]
    classes, network = card.inputs["classes"], network.to(device).eval()
    parts = [np.zeros((0, len(classes)), np.float32)]
    for first in range(0, len(sheet), PREDICTION_BATCH):
        rows = sheet.iloc[first : first + PREDICTION_BATCH]
        arrays = _collect(prepared, rows, scale, card.inputs["inputs"], shape and tuple(shape))
        with torch.inference_mode():
            logits = network(*(torch.from_numpy(array).to(device) for array in arrays))
        parts.append(logits.softmax(dim=1).cpu().numpy())
    named = sheet.assign(image=sheet["subject"], group=sheet["subject"])
    table = tabulate_predictions(named, classes, np.concatenate(parts))
    return table.drop(columns="group").rename(columns={"image": "subject"})


def _task(described: dict[str, Any], settings: VolumeSettings, seed: int) -> Classification:
    return Classification(
        build_network(seed=derive_seed(seed, "weights"), **described),
        Optimisation(**settings.optimisation),
        VolumeFeed(settings.flip and described["inputs"] != INPUTS["demographics"]),
        seed=seed,
    )


def _collect(
    prepared: Mapping[str, str | Path],
    rows: pd.DataFrame,
    scale: ScoreScale,
    inputs: str,
    shape: tuple[int, ...] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the volumes, float32 (n, channels, i, j, k), and scores, float32 (n, scores), of subjects."""
    scores = scale.encode(rows)
    if inputs == "demographics":
        return np.zeros((len(rows), *NO_IMAGE), np.float32), scores
    volumes = []
    for subject in rows["subject"]:
        if subject not in prepared:
            raise InputError(subject, "no prepared volume", "one for every subject", "Prepare it.")
        volume = read_prepared_volume(prepared[subject])
        shape = shape or volume.shape
        if volume.shape != shape:
            found, expected = f"channels and voxels {volume.shape}", f"{shape}, as for the other subjects"
            raise InputError(prepared[subject], found, expected, "Prepare all with one configuration.")
        volumes.append(volume)
    return np.stack(volumes) if volumes else np.zeros((0, *shape), np.float32), scores


def _samples(
    arrays: tuple[np.ndarray, np.ndarray], rows: pd.DataFrame, classes: Sequence[str], seed: int
) -> Samples:
    labels = pd.Index(classes).get_indexer(rows["class"]).astype(np.int64)
    if (labels < 0).any():
        row = rows.iloc[int(np.argmin(labels))]
        mend = "Name all classes of the sheet."
        raise InputError(
            f"subject {row['subject']}", f"class {row['class']}", f"one of {', '.join(classes)}", mend
        )
    return Samples(VolumeBatch, (*arrays, labels), seed)


def _check_inputs(inputs: str, scores: Sequence[str]) -> None:
    if inputs not in INPUTS:
        raise InputError("inputs", repr(inputs), f"one of {', '.join(INPUTS)}", "Correct it.")
    if inputs != "image" and not scores:
        mend = "Name scores, or show the image alone."
        raise InputError("scans.volumes.scores", "none", f"at least one to show {inputs}", mend)


def _check_enough(subjects: int) -> None:
    if subjects < 2:
        found, expected = f"{subjects} subjects in train", "two at least, for batch norm"
        raise InputError("subject sheet", found, expected, "Add subjects, or move some to train.")
