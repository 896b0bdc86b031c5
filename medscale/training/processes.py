"""Training with several processes, one for each device, that share every batch.

A batch is divided between the processes, so that its size, and all that follows from it, does not depend on
how many there are. In the place of Horovod, as in the thesis, stands torch's DistributedDataParallel.
"""

import logging
import logging.handlers
import multiprocessing
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.strategies import DDPStrategy
from torch import distributed
from torch.utils.data import DataLoader, Sampler

from medscale.errors import InputError
from medscale.training.batches import EpochBatches


def count_devices(device: torch.device, gpus_granted: int) -> int:
    """Return how many processes can train: one for each granted GPU that the machine has, one on a CPU."""
    return max(1, min(gpus_granted, torch.cuda.device_count())) if device.type == "cuda" else 1


class SharedBatches(Sampler[list[int]]):
    """Of every batch the part that belongs to this process; parts differ by at most one sample.

    Parameters
    ----------
    batches : EpochBatches or sequence of list of int
        The whole batches, the same in all processes.
    """

    def __init__(self, batches: EpochBatches | Sequence[list[int]]):
        self.batches = batches

    @property
    def varies(self) -> bool:
        """As that of `EpochBatches`."""
        return isinstance(self.batches, EpochBatches) and self.batches.varies

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose batches are drawn next."""
        if isinstance(self.batches, EpochBatches):
            self.batches.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[int]]:
        rank, processes = distributed.get_rank(), distributed.get_world_size()
        for batch in self.batches:
            yield batch[len(batch) * rank // processes : len(batch) * (rank + 1) // processes]


def share_training(loader: DataLoader, processes: int, epochs: int) -> DataLoader:
    """Return a loader of each process's part of the training batches.

    Raises
    ------
    InputError
        If a batch has fewer samples than there are processes.
    """
    batches = loader.sampler
    smallest = min([batches.samples_per_epoch, *(batches.size(epoch) for epoch in range(epochs))])
    if smallest < processes:
        raise InputError(
            "batch size",
            f"{smallest} for {processes} processes",
            "at least one sample for each process",
            "Choose larger batches or fewer devices.",
        )
    batches.processes = processes
    return share(loader)


def share(loader: DataLoader) -> DataLoader:
    """Return a loader of each process's part of the same batches; parts may be empty."""
    return DataLoader(
        loader.dataset,
        sampler=SharedBatches(loader.sampler),
        batch_size=None,
        num_workers=loader.num_workers,
        persistent_workers=loader.persistent_workers,
        multiprocessing_context=loader.multiprocessing_context,
    )


def strategy() -> DDPStrategy:
    """Return Lightning's strategy that starts the processes itself, on a CPU as well as on GPUs."""
    return DDPStrategy(start_method="spawn")


@contextmanager
def started(processes: int) -> Iterator[list[Callback]]:
    """Start processes inside, also those of loaders, and give the callbacks that those of a training need."""
    with without_main_module():
        if processes == 1:
            yield []
        else:
            with relayed_log() as records:
                yield [AsInParent(records)]


class AsInParent(Callback):
    """Let a started process compute with as many threads as its parent, and log where its parent logs.

    Parameters
    ----------
    records : multiprocessing queue
        Of `relayed_log`.
    """

    def __init__(self, records: multiprocessing.Queue):
        self.records, self.threads = records, torch.get_num_threads()
        self.level = logging.getLogger().getEffectiveLevel()

    def setup(self, trainer: lightning.Trainer, module: lightning.LightningModule, stage: str) -> None:
        torch.set_num_threads(self.threads)
        warnings.filterwarnings("ignore", module="lightning")
        root = logging.getLogger()
        root.handlers = [logging.handlers.QueueHandler(self.records)]
        root.setLevel(self.level if trainer.is_global_zero else logging.WARNING)


@contextmanager
def relayed_log() -> Iterator[multiprocessing.Queue]:
    """Hand what started processes put into the queue to this process's own log."""
    records = multiprocessing.get_context("spawn").Queue()
    listener = logging.handlers.QueueListener(records, _Relay())
    listener.start()
    try:
        yield records
    finally:
        listener.stop()
        records.close()


class _Relay(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        logging.getLogger(record.name).handle(record)


@contextmanager
def without_main_module() -> Iterator[None]:
    """Start processes that do not run this process's script again.

    Python's `spawn` does so to find what the script defines. The scripts of a workflow define nothing, and
    what Snakemake puts in front of them is not there for a second run.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
