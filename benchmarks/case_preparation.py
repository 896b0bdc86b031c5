"""Preparing a case against reading it with nibabel, in one run, and what memory it takes."""

import time
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np

from benchmarks.peak import measure_peak
from medscale.kits19.prepare import PrepareSettings, prepare_case

# The published size of a slice, and a long case; KiTS19's median has 108 slices.
SHAPE = (216, 512, 512)
AFFINE = np.array([[0, 0, -0.78, 0], [0, -0.78, 0, 0], [-1.0, 0, 0, 0], [0, 0, 0, 1]])
WAYS = (("area", "area"), ("cubic", "thesis"), ("linear", "nearest"))
REPEATS = 5


def compare_preparation(folder: Path) -> list[tuple[str, str]]:
    """Return rows (what, ratio of our time to nibabel's), the median of several repeats, and peak memory."""
    imaging, segmentation = _write_case(folder)
    ways = [PrepareSettings(128, (-512.0, 512.0), *way) for way in WAYS]
    # First of all: the memory of this process counts as that of those it starts.
    preparing = measure_peak(prepare_case, "case", imaging, segmentation, folder / "case.h5", ways[0])
    rows = [
        ("memory of reading a case with nibabel", measure_peak(_read, imaging, segmentation)),
        ("memory of preparing it", preparing),
    ]
    for settings in ways:
        ours, theirs = [], []
        for _ in range(REPEATS):
            theirs.append(_seconds(_read, imaging, segmentation))
            ours.append(_seconds(prepare_case, "case", imaging, segmentation, folder / "case.h5", settings))
        ratios = np.array(ours) / theirs
        spread = f"{np.median(ratios):.2f} ({ratios.min():.2f} to {ratios.max():.2f})"
        what = f"preparing {' × '.join(map(str, SHAPE))} with {settings.interpolation}"
        what += f", labels with {settings.label_interpolation}"
        rows.append((what, f"{np.median(ours):.2f} s; of reading with nibabel {spread}"))
    return rows


def _write_case(folder: Path) -> tuple[Path, Path]:
    """Write a body with the noise of a scanner, which packs as real CT does, and two blocks as labels."""
    paths = folder / "imaging.nii.gz", folder / "segmentation.nii.gz"
    rows, columns = np.mgrid[-1 : 1 : 1j * SHAPE[1], -1 : 1 : 1j * SHAPE[2]]
    tissue = np.where(rows**2 / 0.4 + columns**2 / 0.7 < 1, 40.0, -1000.0)
    rng = np.random.default_rng(0)
    # Slice by slice, to need little memory here.
    hu = np.empty(SHAPE, np.int16)
    for one in hu:
        one[:] = np.maximum(np.rint(tissue + rng.normal(0, 12, tissue.shape)), -1024)
    labels = np.zeros(SHAPE, np.uint8)
    labels[60:150, 200:300, 120:190], labels[90:120, 240:270, 100:150] = 1, 2
    for values, path in zip((hu, labels), paths, strict=True):
        nibabel.save(nibabel.Nifti1Image(values, AFFINE), path)
    return paths


def _read(imaging: Path, segmentation: Path) -> None:
    for path in (imaging, segmentation):
        np.asarray(nibabel.load(path).dataobj)


def _seconds(function: Callable, *arguments) -> float:
    started = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - started
