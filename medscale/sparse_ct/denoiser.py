"""The network that removes the streaks of sparse-view CT (thesis, section 3.2.2)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from medscale.networks.registry import build_network
from medscale.seeds import derive_seed
from medscale.sparse_ct.image_files import read_stored
from medscale.sparse_ct.images import write_image
from medscale.sparse_ct.pairs import PairDataset, Sizing, load_pairs
from medscale.sparse_ct.window import normalise, to_hu
from medscale.training.batch_schedules import BatchSchedule, parse_schedule
from medscale.training.batches import EpochBatches
from medscale.training.fitting import fit
from medscale.training.models import ModelCard
from medscale.training.optimisation import Optimisation
from medscale.training.restoration import Restoration

VALIDATION_BATCH = 8
# Settings of the configuration that differ between the trainings of a study.
REPLACED = ("output", "size_px", "schedule", "learning_rates")


@dataclass(frozen=True)
class DenoiserSettings:
    """The `denoiser` section of the configuration, with one way of sizing and one batch schedule.

    Attributes
    ----------
    network : dict
        `name` and settings of the network.
    window_hu : (float, float)
        Hounsfield units that become 0 and 1.
    sizing : Sizing
    schedule : str
        Name of the batch schedule.
    decay_learning_rate : bool
        Lower the learning rate where the schedule would grow the batch.
    samples_per_epoch : int or None
        Images that an epoch draws; None for as many as there are slices.
    validation_samples : int
        Images that are watched.
    """

    network: dict[str, Any]
    window_hu: tuple[float, float]
    sizing: Sizing
    schedule: str
    decay_learning_rate: bool
    epochs: int
    samples_per_epoch: int | None
    validation_samples: int
    optimisation: dict[str, Any]
    precision: str
    micro_batch: int | None

    @classmethod
    def of(cls, cfg: Mapping[str, Any], run: Mapping[str, str], schedule: str) -> "DenoiserSettings":
        """Combine the configuration with a run's `sizing`, `output` and, if it has one, `control`."""
        kept = {key: value for key, value in cfg["denoiser"].items() if key not in REPLACED}
        output = run["output"]
        kept["network"] = kept["network"] | {"output": output}
        kept["optimisation"] = kept["optimisation"] | {
            "learning_rate": cfg["denoiser"]["learning_rates"][output]
        }
        return cls(
            **kept,
            schedule=schedule,
            window_hu=tuple(cfg["window_hu"]),
            sizing=Sizing(run["sizing"], cfg["denoiser"]["size_px"]),
            decay_learning_rate=bool(run.get("control")),
        )

    def batches(self) -> BatchSchedule:
        """Return the schedule."""
        return parse_schedule(self.schedule, self.epochs)


@dataclass(frozen=True)
class PairFiles:
    """Files of sparse-view reconstructions and of their originals, in the same order."""

    inputs: Sequence[str]
    targets: Sequence[str]

    def dataset(self, settings: DenoiserSettings, seed: int) -> PairDataset:
        """Return the pairs as training images."""
        return PairDataset(self.inputs, self.targets, settings.window_hu, settings.sizing, seed)


def train_denoiser(
    train: PairFiles,
    validation: PairFiles,
    settings: DenoiserSettings,
    *,
    seed: int,
    device: torch.device,
    checkpoints: Path,
    start: str | Path | None = None,
    keep: Mapping[int, str | Path] | None = None,
) -> tuple[nn.Module, ModelCard]:
    """Train a network to turn sparse-view reconstructions into their originals.

    The weights of the last epoch are kept: nothing is chosen by the validation images, which are only
    watched.

    Parameters
    ----------
    train, validation : PairFiles
        Images of different patients.
    seed : int
        Draws the first weights, the order of the slices and the crops.
    checkpoints : Path
        Folder from which a killed training resumes.
    start : str or Path, optional
        State of a training with the same seed and data, from which this one branches off.
    keep : mapping of int to path, optional
        Where the state after so many epochs is kept.
    """
    dataset = train.dataset(settings, derive_seed(seed, "train"))
    watched = validation.dataset(settings, derive_seed(seed, "watch"))
    task = _task(settings, derive_seed(seed, "weights"))
    fit(
        task,
        load_pairs(dataset, _order(settings, len(dataset), derive_seed(seed, "order"))),
        load_pairs(watched, _validation_batches(settings.validation_samples)),
        epochs=settings.epochs,
        device=device,
        checkpoints=checkpoints,
        start=Path(start) if start else None,
        keep={epochs: Path(path) for epochs, path in (keep or {}).items()},
    )
    return task.network, _card(settings, task, slices=len(dataset), seed=seed)


def _task(settings: DenoiserSettings, seed: int) -> Restoration:
    return Restoration(
        build_network(seed=seed, **settings.network),
        Optimisation(**settings.optimisation),
        settings.batches(),
        decay_learning_rate=settings.decay_learning_rate,
        precision=settings.precision,
        micro_batch=settings.micro_batch,
    )


def _order(settings: DenoiserSettings, slices: int, seed: int) -> EpochBatches:
    schedule = settings.batches()
    size = schedule.first if settings.decay_learning_rate else schedule
    return EpochBatches(slices, size, seed, settings.samples_per_epoch, numbered=True)


def _card(settings: DenoiserSettings, task: Restoration, **facts: int) -> ModelCard:
    described = asdict(settings) | {"batch_sizes": settings.batches().text, **facts}
    network = described.pop("network")
    inputs = {"window_hu": list(described.pop("window_hu")), **described.pop("sizing")}
    return ModelCard(network, inputs, described, task.history)


def denoise(network: nn.Module, card: ModelCard, hu: np.ndarray, device: torch.device) -> np.ndarray:
    """Return the slices without streaks, in HU; what lies outside the network's window is lost.

    Parameters
    ----------
    hu : ndarray of float32, shape (slices, size, size)
        Sparse-view reconstructions of any size.
    """
    window_hu = tuple(card.inputs["window_hu"])
    restored = np.empty_like(hu)
    with torch.inference_mode():
        for number, part in enumerate(normalise(hu, window_hu)):
            image = torch.from_numpy(part)[None, None].to(device)
            restored[number] = to_hu(network(image)[0, 0].float().cpu().numpy(), window_hu)
    return restored


def denoise_images(
    network: nn.Module,
    card: ModelCard,
    fbp_paths: Sequence[str | Path],
    paths: Sequence[str | Path],
    device: torch.device,
) -> None:
    """Write each image without streaks as NIfTI in HU, with the affine of its reconstruction."""
    for fbp_path, path in zip(fbp_paths, paths, strict=True):
        image = read_stored(fbp_path)
        write_image(image.with_hu(denoise(network, card, image.hu, device)), path)


def _validation_batches(samples: int) -> list[list[int]]:
    # Numbers beyond the slices crop them elsewhere, as later passes do.
    numbers = list(range(samples))
    return [numbers[first : first + VALIDATION_BATCH] for first in range(0, samples, VALIDATION_BATCH)]
