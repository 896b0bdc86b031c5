"""Training a segmenter against a bare PyTorch loop over tensors, same network and loss, in one run."""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from medscale.kits19.cases import CLASSES
from medscale.kits19.prepared_files import PreparedInfo, write_prepared
from medscale.kits19.sample_data import Loading, SampleDataset, files_of_cases
from medscale.networks.registry import build_network
from medscale.training.batches import EpochBatches
from medscale.training.fitting import fit
from medscale.training.optimisation import Optimisation, Pace, Plateau
from medscale.training.segmentation import MEMORY_FORMATS, Classes, Segmentation
from medscale.training.segmentation_losses import build_loss
from medscale.training.spatial_augmentation import SpatialAugmentation

ROUNDS, EPOCHS, CASES = 3, 3, 4
WEIGHTS = (0.34, 16.6, 34.4)
# The schedules and augmentation of the thesis.
PACE, AUGMENTATION = Pace(3, Plateau(3, 0.95)), SpatialAugmentation()


@dataclass(frozen=True)
class Trial:
    """A network, the shape of its samples, and how many of them an epoch takes."""

    network: dict[str, Any]
    size_px: int
    slices: int | None
    batch_size: int
    batches: int


TRIALS = {
    "narrow Unet2D, 64 px": Trial({"name": "unet2d", "width": 16}, 64, None, 16, 12),
    "narrow Unet3D, 16 slices of 64 px": Trial({"name": "unet3d", "width": 8}, 64, 16, 2, 8),
    "published Unet2D, 128 px": Trial({"name": "unet2d"}, 128, None, 2, 3),
}


def compare_training() -> list[tuple[str, str]]:
    """Return rows (what, samples per second of ours and share of the bare loop's)."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    rows = []
    for name, trial in TRIALS.items():
        with tempfile.TemporaryDirectory() as folder:
            dataset = _draw_dataset(trial, Path(folder))
            pairs = [_measure(trial, dataset, Path(folder), device) for _ in range(ROUNDS)]
        ours, bare = (np.array(part) for part in zip(*pairs, strict=True))
        shares = ours / bare
        share = f"{np.median(shares):.2f} ({shares.min():.2f} to {shares.max():.2f})"
        rows.append(
            (f"training {name}", f"{np.median(ours):.1f} samples/s, {share} of a bare loop on {device.type}")
        )
    return rows


def _measure(trial: Trial, dataset: SampleDataset, folder: Path, device: torch.device) -> tuple[float, float]:
    """Return samples per second of ours and of the bare loop; both do each epoch but the first for it."""
    samples = trial.batch_size * trial.batches
    loss = build_loss("weighted_dice", WEIGHTS)
    task = Timed(
        build_network(seed=0, **trial.network),
        loss,
        Classes(CLASSES, WEIGHTS),
        Optimisation(),
        epochs=EPOCHS,
        pace=PACE,
        augmentation=AUGMENTATION,
    )
    train = dataset.load(EpochBatches(len(dataset), trial.batch_size, 0, samples, numbered=True))
    fit(task, train, None, epochs=EPOCHS, device=device, checkpoints=folder / "checkpoints")
    bare = list(_bare_epochs(trial, device))
    return samples / np.median(task.seconds[1:]), samples / np.median(bare[1:])


class Timed(Segmentation):
    """Segmentation that notes the seconds of every epoch."""

    def __init__(self, *arguments: object, **settings: object):
        super().__init__(*arguments, **settings)
        self.seconds: list[float] = []

    def on_train_epoch_start(self) -> None:
        self._started = time.perf_counter()

    def on_train_epoch_end(self) -> None:
        super().on_train_epoch_end()
        self.seconds.append(time.perf_counter() - self._started)


def _bare_epochs(trial: Trial, device: torch.device) -> Iterator[float]:
    """Yield the seconds of epochs that show one batch, which is there already, again and again."""
    network = build_network(seed=0, **trial.network).to(device)
    network.to(memory_format=MEMORY_FORMATS[network.dimensions])
    optimiser, loss = (
        torch.optim.Adam(network.parameters(), 1e-4),
        build_loss("weighted_dice", WEIGHTS).to(device),
    )
    shape = (trial.batch_size, *_space(trial))
    images, labels = torch.rand(shape, device=device)[:, None], torch.randint(0, 3, shape, device=device)
    for _ in range(EPOCHS):
        started = time.perf_counter()
        for _ in range(trial.batches):
            optimiser.zero_grad()
            value = loss(network(images), labels)
            value.backward()
            optimiser.step()
        # Waits for the device.
        value.item()
        yield time.perf_counter() - started


def _space(trial: Trial) -> tuple[int, ...]:
    edge = trial.size_px
    return (edge, edge) if trial.slices is None else (trial.slices, edge, edge)


def _draw_dataset(trial: Trial, folder: Path) -> SampleDataset:
    """Write noise as prepared cases, and return all their slices or blocks, kept in memory."""
    rng, depth = np.random.default_rng(0), trial.slices or 1
    count = depth * -(-trial.batch_size * trial.batches // CASES)
    for number in range(CASES):
        case, size = f"case_{number:05d}", trial.size_px
        images = rng.integers(0, 256, (count, size, size), np.uint8)
        info = PreparedInfo(case, images.shape, (3.0, 0.8, 0.8), (-512.0, 512.0), "area")
        write_prepared(folder / f"{case}.h5", info, size, zip(images, images % 3, strict=True), labelled=True)
    files = files_of_cases(sorted(folder.glob("*.h5")))
    columns = ("slice", {}) if trial.slices is None else ("first", {"slices": depth})
    parts = [pd.DataFrame({"case": case, columns[0]: range(0, count, depth), **columns[1]}) for case in files]
    return SampleDataset(pd.concat(parts, ignore_index=True), files, 0, Loading())
