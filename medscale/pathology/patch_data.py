"""Patches of a manifest as batches, read once into memory if they fit, else when they are needed."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch.utils.data import DataLoader, Dataset

from medscale.pathology.patches import read_patches
from medscale.pathology.slides import Slide
from medscale.training.batches import EpochBatches
from medscale.training.patch_feed import PatchBatch

OPEN_SLIDES = 16
CHANNELS = 3


@dataclass(frozen=True)
class SlideFiles:
    """Where the slides lie.

    Attributes
    ----------
    paths : dict of str to Path
        File of each slide.
    fallback_um_px : float, optional
        Resolution of slides whose file states none.
    """

    paths: dict[str, Path]
    fallback_um_px: float | None = None

    @classmethod
    def of(
        cls, names: Sequence[str], paths: Sequence[str | Path], fallback_um_px: float | None
    ) -> "SlideFiles":
        """Pair names and files in their order."""
        return cls({name: Path(path) for name, path in zip(names, paths, strict=True)}, fallback_um_px)

    def open(self, slide: str) -> Slide:
        """Return the slide, opened; the caller closes it."""
        return Slide(self.paths[slide], self.fallback_um_px)


class OpenSlides:
    """Slides by name, opened when first asked for; only the last few stay open.

    OpenSlide's memory grows with every open slide. A copy in another process starts with none: a handle
    must not be shared.
    """

    def __init__(self, files: SlideFiles):
        self.files = files
        self._open: OrderedDict[str, Slide] = OrderedDict()

    def __call__(self, name: str) -> Slide:
        if name not in self._open:
            self._open[name] = self.files.open(name)
        self._open.move_to_end(name)
        if len(self._open) > OPEN_SLIDES:
            self._open.popitem(last=False)[1].close()
        return self._open[name]

    def __getstate__(self) -> dict:
        return {"files": self.files, "_open": OrderedDict()}

    def close(self) -> None:
        """Close all slides."""
        while self._open:
            self._open.popitem()[1].close()


class PatchDataset(Dataset):
    """Patches of a manifest; indexed with a list of rows, it returns a `PatchBatch`.

    Parameters
    ----------
    manifest : DataFrame
        Patch columns, optionally with `augmentation` and `seed`; all of one size and resolution.
    memory_gb : float
        Patches that fit are read once and kept.
    """

    def __init__(self, manifest: pd.DataFrame, files: SlideFiles, memory_gb: float):
        self.manifest = manifest.reset_index(drop=True)
        zeros = np.zeros(len(manifest), np.int64)
        self.elements = manifest.get("augmentation", pd.Series(zeros)).to_numpy(np.int64)
        self.seeds = manifest.get("seed", pd.Series(zeros)).to_numpy(np.int64)
        self.labels = torch.from_numpy(manifest["label"].to_numpy(np.float32))
        self._slides = OpenSlides(files)
        places, self._place = _unique_places(self.manifest)
        size_px = int(manifest["size_px"].iloc[0])
        self._kept = None
        if len(places) * size_px**2 * CHANNELS <= memory_gb * 1e9:
            self._kept = read_rows(places, self._slides)
            self._slides.close()

    @property
    def is_in_memory(self) -> bool:
        return self._kept is not None

    def __len__(self) -> int:
        return len(self.manifest)

    def __getitem__(self, rows: list[int]) -> PatchBatch:
        rows = np.asarray(rows)
        if self.is_in_memory:
            images = self._kept[self._place[rows]]
        else:
            images = read_rows(self.manifest.iloc[rows], self._slides)
        channels_first = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
        return PatchBatch(channels_first, self.labels[rows], self.elements[rows], self.seeds[rows])


def read_rows(patches: pd.DataFrame, reader: Callable[[str], Slide]) -> np.ndarray:
    """Read the patches of a table, slide by slide, and return them in the order of its rows.

    Parameters
    ----------
    patches : DataFrame
        Patch columns; all of one size and resolution.
    reader : callable
        Name of a slide to the opened slide.

    Returns
    -------
    ndarray of uint8, shape (n, size, size, 3)
    """
    size_px, um_px = int(patches["size_px"].iloc[0]), float(patches["mpp"].iloc[0])
    slides, x, y = (patches[name].to_numpy() for name in ("slide", "x", "y"))
    images = np.empty((len(patches), size_px, size_px, CHANNELS), np.uint8)
    for slide in sorted(set(slides)):
        rows = np.flatnonzero(slides == slide)
        images[rows] = read_patches(reader(slide), x[rows], y[rows], size_px, um_px)
    return images


def load_batches(dataset: PatchDataset, batches: EpochBatches | list[list[int]], workers: int) -> DataLoader:
    """Return a loader of `PatchBatch`; workers help only where patches are read from the slides."""
    workers = 0 if dataset.is_in_memory else workers
    return DataLoader(
        dataset,
        sampler=batches,
        batch_size=None,
        num_workers=workers,
        persistent_workers=workers > 0,
        multiprocessing_context="spawn" if workers else None,
    )


def _unique_places(manifest: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the distinct patches and, for each row, the number of its patch."""
    keys = manifest.groupby(["slide", "y", "x"], sort=True).ngroup().to_numpy()
    _, first = np.unique(keys, return_index=True)
    return manifest.iloc[first], keys
