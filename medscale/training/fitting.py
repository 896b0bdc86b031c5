"""Running a Lightning task to its last epoch, resuming where a killed run stopped."""

import logging
import shutil
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import lightning
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, TQDMProgressBar
from torch.utils.data import DataLoader

from medscale.files.locks import exclusive
from medscale.training.checkpoints import KeepEpochs, find_begin
from medscale.training.processes import share, share_training, started, strategy
from medscale.training.recorded_task import RecordedTask

log = logging.getLogger(__name__)
LAST = Path("last.ckpt")
# Lightning advertises its products at level INFO.
for product in ("lightning.pytorch", "lightning.fabric"):
    logging.getLogger(product).setLevel(logging.WARNING)


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
        numbers = ", ".join(f"{name} {value:.5g}" for name, value in record.items() if name != "epoch")
        log.info("epoch %d of %d: %s; %.0f s left", done, epochs, numbers, pace * (epochs - done))


class AnnounceEpochs(Callback):
    """Tell the batches which epoch comes next, before Lightning asks how many there are."""

    def on_train_epoch_end(self, trainer, module) -> None:
        trainer.train_dataloader.sampler.set_epoch(trainer.current_epoch + 1)


def fit(
    task: RecordedTask,
    train: DataLoader,
    validation: DataLoader | None,
    *,
    epochs: int,
    device: torch.device,
    checkpoints: Path,
    start: Path | None = None,
    keep: Mapping[int, Path] | None = None,
    devices: int = 1,
) -> None:
    """Train `task` in place for `epochs`, from its last checkpoint if there is one.

    The end is the same whether or not the run was killed in between: batches and augmentation are
    functions of the epoch, and a checkpoint holds weights, optimiser, schedule and history.

    With several devices, as many processes share every batch, and the first alone writes files. On GPUs,
    batch norms take their statistics of the whole batch; on a CPU, torch can only take those of each part.
    A last batch that leaves a process less than two samples is dropped, as a single sample is.

    Parameters
    ----------
    train : DataLoader
        Its sampler is an `EpochBatches`; the number of batches may differ between epochs.
    validation : DataLoader, optional
        Gone through at the end of every epoch.
    checkpoints : Path
        Folder for this run alone; it is removed when training has ended. A second process that
        trains the same run waits, as after a kill that left a job running.
    start : Path, optional
        State that another training kept, from which this one goes on.
    keep : mapping of int to Path, optional
        Where the state after so many epochs is kept, for other trainings to begin from.
    devices : int
        Processes, each with a device of the kind of `device`; several only for tasks that share batches.

    Raises
    ------
    InputError
        If `start` cannot be read or leads elsewhere, or a batch has fewer samples than there are devices.
    """
    if devices > 1 and not task.shares_batches:
        raise ValueError(f"{type(task).__name__} cannot share its batches between processes")
    keeper = KeepEpochs(keep or {}, checkpoints, epochs)
    with exclusive(checkpoints.with_suffix(".lock")):
        begin = find_begin(checkpoints / LAST, start, keeper, epochs)
        # Workers read ahead before Lightning tells the sampler its epoch.
        train.sampler.set_epoch(begin.epochs)
        with warnings.catch_warnings(), started(devices) as callbacks:
            # The loader's speed and the logger's absence are our choice.
            warnings.filterwarnings("ignore", module="lightning")
            if devices > 1:
                train, validation = share_training(train, devices, epochs), validation and share(validation)
            trainer = _trainer(epochs, device, checkpoints, [keeper, *callbacks], train, devices)
            trainer.fit(task, train, validation, ckpt_path=begin.path, weights_only=True)
        if devices > 1:
            _take_over(task, checkpoints / LAST, begin.path)
        keeper.hand_over()
        shutil.rmtree(checkpoints, ignore_errors=True)


def _take_over(task: RecordedTask, last: Path, begin: Path | None) -> None:
    """Load what the processes trained, with its history, into the task of this one."""
    state = torch.load(last if last.exists() else begin, map_location="cpu", weights_only=True)
    task.load_state_dict(state["state_dict"])
    task.on_load_checkpoint(state)


def _trainer(
    epochs: int,
    device: torch.device,
    checkpoints: Path,
    callbacks: Sequence[Callback],
    train: DataLoader,
    devices: int,
) -> lightning.Trainer:
    callbacks = [
        LogEpochs(),
        AnnounceEpochs(),
        *callbacks,
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
        devices=devices,
        strategy=strategy() if devices > 1 else "auto",
        sync_batchnorm=devices > 1 and device.type == "cuda",
        # Who shares batches has done so already.
        use_distributed_sampler=False,
        callbacks=callbacks,
        enable_progress_bar=bar,
        enable_model_summary=False,
        logger=False,
        num_sanity_val_steps=0,
        deterministic=True,
        # Lightning counts the batches of an epoch, at whose end it validates, only when it reloads.
        reload_dataloaders_every_n_epochs=int(train.sampler.varies),
    )
