"""Reading patches against OpenSlide's own read_region, same pixels, in one run."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openslide

from benchmarks.big_slide import UM_PX
from medscale.pathology.patches import read_patches
from medscale.pathology.slides import Slide

SIZE_PX = 256
REPEATS = 5


def compare_reading(path: Path) -> list[tuple[str, str]]:
    """Return rows (what, ratio of our time to OpenSlide's), the median of several repeats."""
    with Slide(path) as slide:
        first, edge = slide.width // 6, slide.width
    rng = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(np.arange(16), np.arange(16)), axis=-1).reshape(-1, 2)
    places = {
        "touching patches": (first + grid * SIZE_PX, UM_PX),
        "patches that overlap by half": (first + grid * SIZE_PX // 2, UM_PX),
        "patches at random places": (rng.integers(edge // 4, 3 * edge // 4, (200, 2)), UM_PX),
        "patches of the second level": (first + grid * SIZE_PX * 2, 2 * UM_PX),
    }
    return [(f"reading {name}", _ratio(path, corners, um_px)) for name, (corners, um_px) in places.items()]


def _ratio(path: Path, corners: np.ndarray, um_px: float) -> str:
    ours, theirs, alone = [], [], []
    expected = _with_openslide(path, corners, um_px)
    assert np.array_equal(_with_medscale(path, corners, um_px), expected)
    for _ in range(REPEATS):
        ours.append(_seconds(_with_medscale, path, corners, um_px))
        theirs.append(_seconds(_with_openslide, path, corners, um_px))
        alone.append(_seconds(_read_regions, path, corners, um_px))
    milliseconds = 1e3 * np.median(ours) / len(corners)
    to_arrays, to_nothing = (_spread(np.array(ours) / other) for other in (theirs, alone))
    return f"{milliseconds:.2f} ms a patch; of OpenSlide to arrays {to_arrays}, without arrays {to_nothing}"


def _spread(ratios: np.ndarray) -> str:
    return f"{np.median(ratios):.2f} ({ratios.min():.2f} to {ratios.max():.2f})"


def _with_medscale(path: Path, corners: np.ndarray, um_px: float) -> np.ndarray:
    with Slide(path) as slide:
        return read_patches(slide, corners[:, 0], corners[:, 1], SIZE_PX, um_px)


def _read_regions(path: Path, corners: np.ndarray, um_px: float) -> None:
    """OpenSlide alone: its pictures are thrown away, no array is made."""
    with openslide.OpenSlide(path) as slide:
        level = slide.get_best_level_for_downsample(um_px / UM_PX + 0.01)
        for x, y in corners:
            slide.read_region((int(x), int(y)), level, (SIZE_PX, SIZE_PX))


def _with_openslide(path: Path, corners: np.ndarray, um_px: float) -> np.ndarray:
    """What one would write without us: read_region and the picture as RGB array."""
    patches = np.empty((len(corners), SIZE_PX, SIZE_PX, 3), np.uint8)
    with openslide.OpenSlide(path) as slide:
        level = slide.get_best_level_for_downsample(um_px / UM_PX + 0.01)
        for patch, (x, y) in zip(patches, corners, strict=True):
            patch[:] = np.asarray(slide.read_region((int(x), int(y)), level, (SIZE_PX, SIZE_PX)))[..., :3]
    return patches


def _seconds(function: Callable, *arguments) -> float:
    started = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - started
