"""Fitting a task to samples in memory, as all trainings on scans do."""

from pathlib import Path
from typing import Any

import torch

from medscale.scans.image_samples import Samples, load_training, load_watched
from medscale.scans.training_settings import TrainingSettings
from medscale.seeds import derive_seed
from medscale.training.fitting import fit
from medscale.training.recorded_task import RecordedTask


def fit_samples(
    task: RecordedTask,
    samples: Samples[Any],
    watched: Samples[Any],
    settings: TrainingSettings,
    *,
    seed: int,
    device: torch.device,
    checkpoints: Path,
) -> None:
    """Train `task` in place on samples, and watch others, of which there may be none; see `fit`.

    Parameters
    ----------
    seed : int
        Of the training; draws the order of the samples.
    """
    order = derive_seed(seed, "order")
    fit(
        task,
        load_training(samples, settings.batch_size, settings.samples_per_epoch, order),
        load_watched(watched, settings.batch_size),
        epochs=settings.epochs,
        device=device,
        checkpoints=checkpoints,
    )
