"""Training on images against a bare PyTorch loop over tensors, same network and loss, in one run."""

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor, nn

from medscale.networks.classifiers.auxiliary import combine_losses
from medscale.networks.registry import build_network
from medscale.scans.image_networks import predict_images
from medscale.scans.image_samples import image_samples, load_training, mask_samples
from medscale.training.classification import Classification, classification_loss
from medscale.training.fitting import fit
from medscale.training.mask_losses import find_mask_loss
from medscale.training.mask_segmentation import MaskSegmentation
from medscale.training.optimisation import Optimisation, build_optimiser
from medscale.training.recorded_task import RecordedTask
from medscale.training.scan_feeds import ImageFeed

ROUNDS, EPOCHS, CLASSES = 3, 3, 3
# The report's.
OPTIMISATION = Optimisation("adamw", 0.001, weight_decay=1e-5, weight_bound=5.0)


@dataclass(frozen=True)
class Trial:
    """A network, the size of its images, and how many batches an epoch takes."""

    network: dict[str, Any]
    size_px: int
    batch_size: int
    batches: int

    @property
    def outlines(self) -> bool:
        """Whether the network outlines, rather than classifies."""
        return self.network["name"] == "unet"


TRIALS = {
    "the report's classifier, 512 px": Trial({"name": "strided_cnn", "outputs": CLASSES}, 512, 8, 4),
    "the report's classifier, 64 px": Trial(
        {"name": "strided_cnn", "outputs": CLASSES, "size_px": 64}, 64, 16, 20
    ),
    "narrow ResNet-18, 64 px": Trial(
        {"name": "resnet18", "outputs": CLASSES, "channels_in": 1, "width": 16}, 64, 16, 20
    ),
    "narrow U-Net, 64 px": Trial({"name": "unet", "output": "none", "width": 8, "depth": 4}, 64, 8, 20),
}


def compare_scan_training() -> list[tuple[str, str]]:
    """Return rows (what, images per second of training and prediction, and share of the bare loop's)."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return [_compare(name, trial, device) for name, trial in TRIALS.items()]


def _compare(name: str, trial: Trial, device: torch.device) -> tuple[str, str]:
    rng = np.random.default_rng(0)
    count = trial.batch_size * trial.batches
    images = rng.integers(0, 256, (count, trial.size_px, trial.size_px), np.uint8)
    pairs = [_measure(trial, images, device) for _ in range(ROUNDS)]
    ours, bare = (np.array(part) for part in zip(*pairs, strict=True))
    shares = ours / bare
    share = f"{np.median(shares):.2f} ({shares.min():.2f} to {shares.max():.2f})"
    predicted = _predict(trial, images, device)
    result = f"{np.median(ours):.1f} images/s, {share} of a bare loop on {device.type}"
    return f"training {name}", f"{result}; prediction {predicted:.1f} images/s"


def _measure(trial: Trial, images: np.ndarray, device: torch.device) -> tuple[float, float]:
    """Return images per second of ours and of the bare loop; both do each epoch but the first for it."""
    timer = EpochTimer()
    task, samples = _task(trial, images)
    task.configure_callbacks = lambda: [timer]
    with tempfile.TemporaryDirectory() as folder:
        fit(
            task,
            load_training(samples, trial.batch_size, None, 0),
            None,
            epochs=EPOCHS,
            device=device,
            checkpoints=Path(folder) / "checkpoints",
        )
    bare = list(_bare_epochs(trial, device))
    return len(images) / np.median(timer.seconds[1:]), len(images) / np.median(bare[1:])


class EpochTimer(lightning.Callback):
    """Notes the seconds of every epoch."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def on_train_epoch_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        self._started = time.perf_counter()

    def on_train_epoch_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        self.seconds.append(time.perf_counter() - self._started)


def _task(trial: Trial, images: np.ndarray) -> tuple[RecordedTask, Any]:
    network = build_network(seed=0, **trial.network).to(memory_format=torch.channels_last)
    if trial.outlines:
        samples = mask_samples(images, images % 2, np.ones(len(images), bool))
        return MaskSegmentation(network, "dice", OPTIMISATION), samples
    samples = image_samples(images, np.arange(len(images)) % CLASSES)
    return Classification(network, OPTIMISATION, ImageFeed()), samples


def _bare_epochs(trial: Trial, device: torch.device) -> Iterator[float]:
    """Yield the seconds of epochs that show one batch, which is there already, again and again."""
    network = build_network(seed=0, **trial.network).to(device, memory_format=torch.channels_last).train()
    optimiser = build_optimiser(network, OPTIMISATION)
    step_loss = _bare_loss(trial, network, device)
    for _ in range(EPOCHS):
        started = time.perf_counter()
        for _ in range(trial.batches):
            optimiser.zero_grad()
            value = step_loss()
            value.backward()
            optimiser.step()
        # Waits for the device.
        value.item()
        yield time.perf_counter() - started


def _bare_loss(trial: Trial, network: nn.Module, device: torch.device) -> Callable[[], Tensor]:
    shape = (trial.batch_size, trial.size_px, trial.size_px)
    images = torch.rand(shape, device=device)[:, None]
    if trial.outlines:
        loss, kept = find_mask_loss("dice"), torch.ones(trial.batch_size, dtype=torch.bool, device=device)
        masks = torch.randint(0, 2, shape, dtype=torch.uint8, device=device)
        return lambda: loss(network(images)[:, 0], masks, kept).mean()
    labels = torch.arange(trial.batch_size, device=device) % CLASSES
    return lambda: combine_losses(network(images), lambda logits: classification_loss(logits, labels))


def _predict(trial: Trial, images: np.ndarray, device: torch.device) -> float:
    """Return images per second of prediction; the first round loads code."""
    network = build_network(seed=0, **trial.network)
    for _ in range(2):
        started = time.perf_counter()
        for logits in predict_images(network, images, device):
            logits.cpu()
    return len(images) / (time.perf_counter() - started)
