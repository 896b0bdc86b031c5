"""Checkpoints from which a training goes on, or another one begins."""

import io
import logging
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Checkpoint

from medscale.errors import InputError
from medscale.files.atomic import atomic_path

log = logging.getLogger(__name__)


class KeepEpochs(Checkpoint):
    """Keep the state after some epochs, for other trainings to begin from.

    The same training writes the same bytes: what its callbacks remember, such as absolute paths, is left
    out. The files lie in the folder of the checkpoints until the training has ended, since a scheduler
    removes the outputs of a job that was killed, but not what the job resumes from.

    Parameters
    ----------
    files : mapping of int to Path
        Where the state after so many epochs goes.
    folder : Path
        Folder of the checkpoints.
    epochs : int
        Epochs of the whole training.
    """

    def __init__(self, files: Mapping[int, Path], folder: Path, epochs: int):
        for done in files:
            if not 1 <= done <= epochs:
                raise ValueError(f"no state to keep after epoch {done} of a training of {epochs}")
        self.files, self.folder = files, folder

    def on_train_epoch_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        done = trainer.current_epoch + 1
        if done in self.files:
            path = self._place(done)
            trainer.save_checkpoint(path)
            if not trainer.is_global_zero:
                return
            checkpoint = torch.load(path, map_location="cpu", weights_only=True)
            del checkpoint["callbacks"]
            _write(checkpoint, path)

    def lacks_before(self, done: int) -> bool:
        """Whether a file of the first `done` epochs is missing."""
        return any(epochs <= done and not self._place(epochs).exists() for epochs in self.files)

    def hand_over(self) -> None:
        """Copy all files to where they belong."""
        for done, path in self.files.items():
            with atomic_path(path) as temporary:
                shutil.copyfile(self._place(done), temporary)

    def _place(self, done: int) -> Path:
        return self.folder / f"after_{done}.ckpt"


@dataclass(frozen=True)
class Begin:
    """Where a training begins: at a checkpoint that was written after so many epochs, or at none."""

    path: Path | None
    epochs: int


def find_begin(last: Path, start: Path | None, keeper: KeepEpochs, epochs: int) -> Begin:
    """Return the last checkpoint of this training if it can be used, else that of another one, if given.

    Raises
    ------
    InputError
        If `start` cannot be read, or does not lead to the training of `epochs` that is asked for.
    """
    if last.exists():
        begin = _resume(last, keeper)
        if begin:
            return begin
        last.unlink()
    if start is None:
        return Begin(None, 0)
    state = _read(start)
    done = state["epoch"] + 1
    mend = "Begin from a state that was kept earlier."
    if done > epochs or keeper.lacks_before(done):
        most = min([epochs, *(kept - 1 for kept in keeper.files)])
        raise InputError(start, f"a state after {done} epochs", f"a state of at most {most} epochs", mend)
    if state["lr_schedulers"]:
        raise InputError(start, "a learning rate that follows the number of batches", "a constant one", mend)
    log.info("beginning after epoch %d, from %s", done, start)
    return Begin(start, done)


def _resume(last: Path, keeper: KeepEpochs) -> Begin | None:
    try:
        done = _read(last)["epoch"] + 1
    except InputError as error:
        log.warning("%s cannot be read (%s): training starts anew", last, error.found)
        return None
    if keeper.lacks_before(done):
        log.warning("%s lacks a state of before: training starts anew", last.parent)
        return None
    log.info("resuming from %s", last)
    return Begin(last, done)


def _read(path: Path) -> dict[str, Any]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        return {"epoch": int(state["epoch"]), "lr_schedulers": list(state["lr_schedulers"])}
    except Exception as error:
        raise InputError(
            path,
            f"no readable checkpoint ({type(error).__name__})",
            "the state of a training, as another training kept it",
            "Delete the file and run again.",
        ) from error


def _write(checkpoint: dict[str, Any], path: Path) -> None:
    # Torch writes the name of the file into it, but not that of a buffer.
    buffer = io.BytesIO()
    torch.save(_plain(checkpoint), buffer)
    with atomic_path(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def _plain(value: Any) -> Any:
    """Rebuild containers so that equal content gives equal bytes: pickle tells equal strings apart."""
    if isinstance(value, Mapping):
        return {_plain(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_plain(part) for part in value)
    return sys.intern(value) if type(value) is str else value
