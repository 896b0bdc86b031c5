"""Reading and resizing images with masks against a plain OpenCV loop over two processes, in one run."""

import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from medscale.phantoms.brain_mri import write_brain
from medscale.phantoms.breast_ultrasound import write_breast
from medscale.scans.prepared_images import prepare_images

WORKERS, REPEATS, DRAWN, COPIES = 2, 7, 12, 20
SIZES_PX = (128, 512)


def compare_scan_preparation(folder: Path) -> list[tuple[str, str]]:
    """Return rows (what, images per second of ours and ratio of our time to the loop's)."""
    collections = {"ultrasound with masks": _write_breasts(folder), "brain MR, JPEG": _write_brains(folder)}
    with ProcessPoolExecutor(WORKERS, get_context("spawn")) as pool:
        return [
            _compare(f"{name}, {size_px} px", paths, masks, size_px, folder, pool)
            for name, (paths, masks) in collections.items()
            for size_px in SIZES_PX
        ]


def _compare(
    what: str,
    paths: list[str],
    masks: list[list[str]],
    size_px: int,
    folder: Path,
    pool: ProcessPoolExecutor,
) -> tuple[str, str]:
    names = [f"image_{number}" for number in range(len(paths))]
    pairs = list(zip(paths, masks, strict=True))
    halves = [pairs[worker::WORKERS] for worker in range(WORKERS)]
    ours, plain = [], []
    # The first round starts the processes and warms the disk's cache.
    for _ in range(REPEATS + 1):
        started = time.perf_counter()
        list(pool.map(partial(_plain_loop, size_px=size_px), halves))
        middle = time.perf_counter()
        prepare_images(names, paths, masks, size_px, folder / "images.h5", WORKERS)
        plain.append(middle - started)
        ours.append(time.perf_counter() - middle)
    ratios = np.array(ours[1:]) / plain[1:]
    spread = f"{np.median(ratios):.2f} ({ratios.min():.2f} to {ratios.max():.2f})"
    speed = f"{len(paths) / np.median(ours[1:]):.0f} images/s"
    return f"preparing {what}", f"{speed}; {spread} of the time of a plain loop in {WORKERS} processes"


def _plain_loop(pairs: list[tuple[str, list[str]]], size_px: int) -> np.ndarray:
    """Return images and masks, read and resized in the plainest way."""
    return np.array([part for path, masks in pairs for part in _read_plainly(path, masks, size_px)])


def _read_plainly(path: str, masks: list[str], size_px: int) -> Iterator[np.ndarray]:
    for name in (path, *masks):
        picture = cv2.imread(name, cv2.IMREAD_GRAYSCALE)
        yield cv2.resize(picture, (size_px, size_px), interpolation=cv2.INTER_AREA)


def _write_breasts(folder: Path) -> tuple[list[str], list[list[str]]]:
    """Write a few images as large as BUSI's are, and name each many times."""
    paths = [folder / "benign" / f"benign ({number}).png" for number in range(1, DRAWN + 1)]
    for path in paths:
        write_breast(path, 0, 600)
    masks = [[str(path.with_name(f"{path.stem}_mask.png"))] for path in paths]
    return list(map(str, paths)) * COPIES, masks * COPIES


def _write_brains(folder: Path) -> tuple[list[str], list[list[str]]]:
    paths = [folder / "yes" / f"Y{number}.jpg" for number in range(1, DRAWN + 1)]
    for path in paths:
        write_brain(path, 0, 400)
    return list(map(str, paths)) * COPIES, [[] for _ in range(DRAWN * COPIES)]
