"""Running a Lightning task to its last epoch, resuming where a killed run stopped."""

import logging
import shutil
import sys
import time
import warnings
from pathlib import Path

import lightning
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, TQDMProgressBar
from torch.utils.data import DataLoader

from medscale.files.locks import exclusive

log = logging.getLogger(__name__)
LAST = Path("last.ckpt")
# Lightning advertises its products at level INFO.
logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)


class LogEpochs(Callback):
    """One line an epoch, with the time left: what a bar cannot give to a log file."""

    def __init__(self) -> None:
        self.started, self.first_epoch = 0.0, 0

    def on_train_start(self, trainer, module) -> None:
        self.started, self.first_epoch = time.monotonic(), trainer.current_epoch

    def on_train_epoch_start(self, trainer, module) -> None:
        # The module writes its history after the callbacks of the epoch's end.
        if trainer.current_epoch > self.first_epoch:
            self._log(trainer.current_epoch, trainer.max_epochs, module.history[-1])

    def on_train_end(self, trainer, module) -> None:
        self._log(trainer.max_epochs, trainer.max_epochs, module.history[-1])

    def _log(self, done: int, epochs: int, record: dict[str, float]) -> None:
        pace = (time.monotonic() - self.started) / max(1, done - self.first_epoch)
        numbers = ", ".join(f"{name} {value:.4f}" for name, value in record.items() if name != "epoch")
        log.info("epoch %d of %d: %s; %.0f s left", done, epochs, numbers, pace * (epochs - done))


def fit(
    task: lightning.LightningModule,
    train: DataLoader,
    validation: DataLoader | None,
    *,
    epochs: int,
    device: torch.device,
    checkpoints: Path,
) -> None:
    """Train `task` in place for `epochs`, from its last checkpoint if there is one.

    The end is the same whether or not the run was killed in between: batches and augmentation are
    functions of the epoch, and a checkpoint holds weights, optimiser, schedule and history.

    Parameters
    ----------
    checkpoints : Path
        Folder for this run alone; it is removed when training has ended. A second process that
        trains the same run waits, as after a kill that left a job running.
    """
    with exclusive(checkpoints.with_suffix(".lock")):
        trainer = _trainer(epochs, device, checkpoints)
        last = _readable_checkpoint(checkpoints / LAST)
        if last:
            log.info("resuming from %s", last)
        with warnings.catch_warnings():
            # The loader's speed and the logger's absence are our choice.
            warnings.filterwarnings("ignore", module="lightning")
            trainer.fit(task, train, validation, ckpt_path=last, weights_only=True)
        shutil.rmtree(checkpoints, ignore_errors=True)


def _trainer(epochs: int, device: torch.device, checkpoints: Path) -> lightning.Trainer:
    callbacks = [
        LogEpochs(),
        ModelCheckpoint(
            checkpoints, filename=LAST.stem, enable_version_counter=False, save_on_train_epoch_end=True
        ),
    ]
    bar = sys.stderr.isatty()
    if bar:
        callbacks.append(TQDMProgressBar())
    return lightning.Trainer(
        max_epochs=epochs,
        accelerator=device.type,
        devices=1,
        callbacks=callbacks,
        enable_progress_bar=bar,
        enable_model_summary=False,
        logger=False,
        num_sanity_val_steps=0,
        deterministic=True,
    )


def _readable_checkpoint(path: Path) -> Path | None:
    if not path.exists():
        return None
    try:
        torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        log.warning("%s cannot be read (%s): training starts anew", path, error)
        path.unlink()
        return None
    return path
