"""Slices or blocks of prepared cases as batches for a training."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
from torch.utils.data import DataLoader, Dataset

from medscale.errors import InputError
from medscale.kits19.prepared_files import read_info, read_size
from medscale.kits19.slice_sources import KeptSlices, Stretches, find_source
from medscale.seeds import derive_seed
from medscale.training.batches import EpochBatches
from medscale.training.segmentation import SegmentationBatch

Value = TypeVar("Value")


@dataclass(frozen=True)
class SampleForm:
    """What all samples of a training have in common.

    Attributes
    ----------
    size_px : int
        Edge of a slice.
    slices : int or None
        Depth of a block; None for single slices.
    window_hu : (float, float)
        Hounsfield units that became 0 and 255.
    interpolation : str
        How slices were resized.
    """

    size_px: int
    slices: int | None
    window_hu: tuple[float, float]
    interpolation: str

    @property
    def dimensions(self) -> int:
        """2 for slices, 3 for blocks."""
        return 2 if self.slices is None else 3


@dataclass(frozen=True)
class Loading:
    """How samples reach the network; it changes no result.

    Attributes
    ----------
    memory_gb : float
        Slices that fit are read once and kept.
    workers : int
        Processes that read ahead slices that are not kept.
    """

    memory_gb: float = 4.0
    workers: int = 0


DEFAULT_LOADING = Loading()


def files_of_cases(paths: Iterable[str | Path]) -> dict[str, Path]:
    """Return the file of each case; a prepared case has the name of its file."""
    return {Path(path).stem: Path(path) for path in paths}


def find_form(table: pd.DataFrame, prepared: Mapping[str, Path]) -> SampleForm:
    """Return what the samples of a table have in common.

    Parameters
    ----------
    table : DataFrame
        Slices (case, slice, ...) or blocks (case, first, slices, ...).
    prepared : mapping of str to Path
        File of each case.

    Raises
    ------
    InputError
        If there are none, a case is not prepared, or the cases were not prepared in the same way.
    """
    if not len(table):
        mend = "Check the split in the case sheet, and whether balancing dropped everything."
        raise InputError("table of samples", "no rows", "one for each slice or block", mend)
    cases = table["case"].unique().tolist()
    if missing := [case for case in cases if case not in prepared]:
        raise InputError(missing[0], "no prepared file", "one for every case of the table", "Prepare it.")
    infos = [read_info(prepared[case]) for case in cases]
    return SampleForm(
        size_px=int(_common("edge of the slices, px", [read_size(prepared[case])[1] for case in cases])),
        slices=None if "slice" in table else int(_common("slices of a block", table["slices"].tolist())),
        window_hu=_common("window_hu", [info.window_hu for info in infos]),
        interpolation=_common("interpolation", [info.interpolation for info in infos]),
    )


class SampleDataset(Dataset[SegmentationBatch]):
    """Samples by the numbers `pass * samples + sample`; given a list of them, it returns a batch.

    A row of the table is as many samples as it has repeats. The seed of a sample depends on its number, so
    that repeats and passes are augmented each in its own way.

    Parameters
    ----------
    table : DataFrame
        Slices (case, slice) or blocks (case, first, slices), and optionally `repeats`.
    prepared : mapping of str to Path
        File of each case.
    seed : int
        For the seeds of the samples.
    loading : Loading

    Raises
    ------
    InputError
        As `find_form`, or if a case has no labels, or fewer slices than the table says.
    """

    def __init__(self, table: pd.DataFrame, prepared: Mapping[str, Path], seed: int, loading: Loading):
        self.form, self.seed = find_form(table, prepared), seed
        self._rows = np.repeat(np.arange(len(table)), table.get("repeats", 1))
        stretches = Stretches.of(table, self.form.slices)
        self._source = find_source(stretches, prepared, self.form.size_px, loading.memory_gb)
        self._workers = 0 if self.is_in_memory else loading.workers

    @property
    def is_in_memory(self) -> bool:
        """Whether all slices are kept."""
        return isinstance(self._source, KeptSlices)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, numbers: list[int]) -> SegmentationBatch:
        images, labels = self._source.pick(self._rows[np.asarray(numbers, np.int64) % len(self)])
        if self.form.slices is None:
            images, labels = images[:, 0], labels[:, 0]
        seeds = np.array([derive_seed(self.seed, number) for number in numbers], np.int64)
        return SegmentationBatch(images, labels, seeds)

    def load(self, batches: EpochBatches | list[list[int]]) -> DataLoader:
        """Return a loader of `SegmentationBatch`; workers only where slices are read when needed."""
        return DataLoader(
            self,
            sampler=batches,
            batch_size=None,
            num_workers=self._workers,
            persistent_workers=self._workers > 0,
            multiprocessing_context="spawn" if self._workers else None,
        )


def _common(what: str, values: list[Value]) -> Value:
    distinct = sorted(set(values))
    if len(distinct) > 1:
        found = f"{what}: {', '.join(map(str, distinct))}"
        mend = "Prepare all cases anew, with one configuration."
        raise InputError("prepared cases", found, "the same in all of them", mend)
    return distinct[0]
