"""The networks that find kidneys and tumours in prepared cases."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader

from medscale.errors import InputError
from medscale.files.tables import read_json, read_table
from medscale.kits19.cases import CLASSES
from medscale.kits19.generated import add_generated
from medscale.kits19.sample_data import DEFAULT_LOADING, Loading, SampleDataset, SampleForm
from medscale.networks.registry import SEGMENTERS, build_network
from medscale.seeds import derive_seed
from medscale.training.batches import EpochBatches
from medscale.training.fitting import fit
from medscale.training.models import ModelCard
from medscale.training.optimisation import Optimisation, Pace, Plateau
from medscale.training.segmentation import Classes, Segmentation
from medscale.training.segmentation_losses import build_loss
from medscale.training.spatial_augmentation import SpatialAugmentation


@dataclass(frozen=True)
class SegmenterSettings:
    """What a training is described by in the configuration.

    Attributes
    ----------
    network : dict
        `name` and settings of the network.
    batch_size : int
        Slices, or blocks, in a batch, whatever number of processes share it.
    samples_per_epoch : int or None
        How many samples an epoch draws; None for as many as there are.
    optimisation : dict
        Fields of `Optimisation`.
    loss : dict
        `name` and settings, as `build_loss` takes them.
    warmup_epochs : float
        See `Pace`.
    plateau : dict or None
        Fields of `Plateau`; None for a learning rate that does not look at losses.
    augmentation : dict or None
        Fields of `SpatialAugmentation`; None for none at all.
    generated_share : float
        Share of the samples that a generator drew; 0 for none.
    precision : {"float32", "bfloat16"}
        `bfloat16` for blocks needs a GPU.
    """

    network: dict[str, Any]
    batch_size: int
    epochs: int
    samples_per_epoch: int | None
    optimisation: dict[str, Any]
    loss: dict[str, Any]
    warmup_epochs: float = 0.0
    plateau: dict[str, Any] | None = None
    augmentation: dict[str, Any] | None = None
    generated_share: float = 0.0
    precision: str = "float32"


@dataclass(frozen=True)
class SegmenterTables:
    """What a network is trained on, and what is watched.

    Attributes
    ----------
    train : DataFrame
        Slices (case, slice, ..., repeats) or blocks (case, first, slices, ..., repeats).
    validation : DataFrame
        The same of other patients; may be empty. Its repeats do not count.
    class_weights : sequence of float
        Of background, kidney and tumour, in this order.
    generated : DataFrame, optional
        Slices that a generator drew.
    """

    train: pd.DataFrame
    validation: pd.DataFrame
    class_weights: Sequence[float]
    generated: pd.DataFrame | None = None

    @classmethod
    def read(
        cls,
        train: str | Path,
        validation: str | Path,
        weights: str | Path,
        generated: str | Path | None = None,
    ) -> "SegmenterTables":
        """Read tables, and the weights of their kind of samples from what `balance_cases` found.

        No path of generated slices stands for none.
        """
        samples = read_table(train)
        kind = "slices" if "slice" in samples else "blocks"
        drawn = read_table(generated) if generated else None
        return cls(samples, read_table(validation), read_json(weights)[kind]["class_weights"], drawn)


def train_segmenter(
    tables: SegmenterTables,
    prepared: Mapping[str, Path],
    settings: SegmenterSettings,
    *,
    seed: int,
    device: torch.device,
    checkpoints: Path,
    devices: int = 1,
    loading: Loading = DEFAULT_LOADING,
) -> tuple[nn.Module, ModelCard]:
    """Train a network on slices or blocks and return it with its card.

    The weights of the last epoch are kept. The validation data choose nothing; where `plateau` says so,
    they lower the learning rate.

    Parameters
    ----------
    prepared : mapping of str to Path
        File of each case.
    seed : int
        Draws the first weights, the order of the samples, their augmentation, and dropout.
    checkpoints : Path
        Folder from which a killed training resumes.
    devices : int
        Processes that share every batch, each with a device of the kind of `device`. Only the last digits
        of the result depend on it, apart from batch norms on a CPU (see `fit`).

    Raises
    ------
    InputError
        If the network is none for these samples, the device cannot compute it in this precision, or the
        samples cannot be used (see `SampleDataset`).
    """
    rows = add_generated(tables.train, tables.generated, settings.generated_share)
    dataset = SampleDataset(rows, prepared, derive_seed(seed, "augment"), loading)
    task = _task(settings, tables.class_weights, seed)
    _check_dimensions(settings.network["name"], task.network, dataset.form)
    _check_precision(settings.precision, task.network, device)
    fit(
        task,
        dataset.load(_order(settings, len(dataset), derive_seed(seed, "order"))),
        _watch(tables.validation, prepared, settings.batch_size, loading),
        epochs=settings.epochs,
        device=device,
        checkpoints=checkpoints,
        devices=devices,
    )
    facts = {"samples": len(dataset), "seed": seed, "class_weights": list(tables.class_weights)}
    return task.network, _card(settings, dataset.form, facts, task.history)


def _task(settings: SegmenterSettings, class_weights: Sequence[float], seed: int) -> Segmentation:
    if settings.network["name"] not in SEGMENTERS:
        known = f"one of {', '.join(SEGMENTERS)}"
        raise InputError("network.name", repr(settings.network["name"]), known, "Correct the name.")
    plateau = Plateau(**settings.plateau) if settings.plateau else None
    augmentation = settings.augmentation
    return Segmentation(
        build_network(seed=derive_seed(seed, "weights"), **settings.network),
        build_loss(class_weights=class_weights, **settings.loss),
        Classes(CLASSES, class_weights),
        Optimisation(**settings.optimisation),
        epochs=settings.epochs,
        pace=Pace(settings.warmup_epochs, plateau),
        augmentation=None if augmentation is None else SpatialAugmentation(**augmentation),
        precision=settings.precision,
        seed=seed,
    )


def _order(settings: SegmenterSettings, samples: int, seed: int) -> EpochBatches:
    return EpochBatches(samples, settings.batch_size, seed, settings.samples_per_epoch, numbered=True)


def _watch(
    table: pd.DataFrame, prepared: Mapping[str, Path], size: int, loading: Loading
) -> DataLoader | None:
    if not len(table):
        return None
    dataset = SampleDataset(table.drop(columns="repeats", errors="ignore"), prepared, 0, loading)
    numbers = list(range(len(dataset)))
    return dataset.load([numbers[first : first + size] for first in range(0, len(numbers), size)])


def _check_dimensions(name: str, network: nn.Module, form: SampleForm) -> None:
    if network.dimensions != form.dimensions:
        kinds = {2: "slices", 3: "blocks of slices"}
        raise InputError(
            "network.name",
            f"{name}, a network for {kinds[network.dimensions]}",
            f"one for {kinds[form.dimensions]}, as the table of samples holds",
            "Choose another network, or make the table for it.",
        )


def _card(
    settings: SegmenterSettings, form: SampleForm, facts: dict[str, Any], history: list[dict[str, float]]
) -> ModelCard:
    described = asdict(settings)
    network = described.pop("network")
    inputs = {
        "classes": list(CLASSES),
        "dimensions": form.dimensions,
        **asdict(form),
        "window_hu": list(form.window_hu),
    }
    return ModelCard(network, inputs, described | facts, history)


def _check_precision(precision: str, network: nn.Module, device: torch.device) -> None:
    # With torch 2.13, some of the gradients of Conv3d in bfloat16 are memory that nobody wrote, often NaN.
    if precision == "bfloat16" and network.dimensions == 3 and device.type == "cpu":
        raise InputError(
            "training.precision",
            "bfloat16 for a network for blocks of slices, on a CPU",
            "float32: torch's gradients of such a network are wrong there",
            "Set float32, or run on a GPU.",
        )
