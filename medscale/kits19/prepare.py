"""From KiTS19's volumes to prepared cases: windowed slices of one size with their labels."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import numpy as np

from medscale.errors import InputError, summarise_errors
from medscale.files.gathered_slices import each_slice
from medscale.kits19.cases import Case, read_case
from medscale.kits19.prepared_files import PreparedInfo, write_prepared
from medscale.kits19.resizing import INTERPOLATIONS, LABEL_INTERPOLATIONS, resize_each, resize_labels

log = logging.getLogger(__name__)

WHITE = 255


@dataclass(frozen=True)
class PrepareSettings:
    """How cases are prepared.

    Attributes
    ----------
    size_px : int
        Rows and columns of prepared slices. One that is not square is squeezed into them: case 160 of
        KiTS19 has 512 × 796 pixels.
    window_hu : (float, float)
        Hounsfield units that become 0 and 255. The thesis takes -512 and 512, and then stretches each
        volume from its own lowest to its own highest value; here all cases share one scale.
    interpolation : str
        For images, a key of `INTERPOLATIONS`.
    label_interpolation : str
        One of `LABEL_INTERPOLATIONS`.
    """

    size_px: int
    window_hu: tuple[float, float]
    interpolation: str
    label_interpolation: str

    def __post_init__(self):
        low, high = self.window_hu
        if not low < high:
            raise _refuse("window_hu", f"from {low:g} to {high:g}", "a lower and a higher value in HU")
        if self.size_px < 1:
            raise _refuse("size_px", f"{self.size_px}", "at least 1")
        if self.interpolation not in INTERPOLATIONS:
            raise _refuse("interpolation", repr(self.interpolation), f"one of {', '.join(INTERPOLATIONS)}")
        if self.label_interpolation not in LABEL_INTERPOLATIONS:
            expected = f"one of {', '.join(LABEL_INTERPOLATIONS)}"
            raise _refuse("label_interpolation", repr(self.label_interpolation), expected)


def prepare_cases(
    rows: Mapping[str, Sequence[str]], paths: Sequence[str | Path], settings: PrepareSettings
) -> None:
    """Read, check and prepare the cases of a sheet's rows.

    Parameters
    ----------
    rows : mapping of str to sequence of str
        The sheet's columns `case`, `imaging` and `segmentation`.
    paths : sequence of str or Path
        Prepared cases to write, in the same order.

    Raises
    ------
    InputError
        After all cases were tried, if one or more are refused.
    """
    refused = []
    columns = (rows["case"], rows["imaging"], rows["segmentation"], paths)
    for name, imaging, segmentation, path in zip(*columns, strict=True):
        try:
            prepare_case(name, imaging, segmentation or None, path, settings)
        except InputError as error:
            log.error("%s", error)
            refused.append(error)
    if refused:
        raise summarise_errors(refused)


def prepare_case(
    name: str,
    imaging: str | Path,
    segmentation: str | Path | None,
    path: str | Path,
    settings: PrepareSettings,
) -> None:
    """Read one case, and write it windowed and resized.

    Memory holds the CT in the data type of its file, its labels as uint8, and a few slices.

    Raises
    ------
    InputError
        As `read_case`.
    """
    case = read_case(imaging, segmentation)
    grid = case.grid
    info = PreparedInfo(
        name, grid.case_shape, grid.spacing_mm, tuple(map(float, settings.window_hu)), settings.interpolation
    )
    write_prepared(
        path, info, settings.size_px, _prepare_slices(case, settings), labelled=case.labels is not None
    )
    spacing = " × ".join(f"{step:.4g}" for step in grid.spacing_mm)
    log.info("%s: %d slices of %d × %d, voxels of %s mm", name, *grid.case_shape, spacing)


def prepare_images(hu: np.ndarray, settings: PrepareSettings) -> Iterator[np.ndarray]:
    """Yield slices windowed and resized, uint8, shape (size_px, size_px).

    Values beyond the window are cut before pixels are mixed, and rounded once, at the end.

    Parameters
    ----------
    hu : ndarray, shape (slices, rows, columns)
        With any strides.
    """
    low, high = settings.window_hu

    def cut(values: np.ndarray) -> np.ndarray:
        return np.clip(values, low, high, dtype=np.float32)

    for small in resize_each(hu, (settings.size_px, settings.size_px), settings.interpolation, cut):
        grey = (small - low) * (WHITE / (high - low))
        yield np.clip(np.rint(grey), 0, WHITE).astype(np.uint8)


def prepare_labels(labels: np.ndarray, settings: PrepareSettings) -> Iterator[np.ndarray]:
    """Yield the labels of slices resized, uint8, shape (size_px, size_px)."""
    shape = (settings.size_px, settings.size_px)
    shown = np.flatnonzero(labels.any(axis=(1, 2)))
    first, end = (int(shown[0]), int(shown[-1]) + 1) if len(shown) else (0, 0)
    yield from repeat(np.zeros(shape, np.uint8), first)
    for one in each_slice(labels[first:end]):
        yield resize_labels(one, shape, settings.label_interpolation)
    yield from repeat(np.zeros(shape, np.uint8), len(labels) - end)


def _prepare_slices(case: Case, settings: PrepareSettings) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    images = prepare_images(case.hu, settings)
    if case.labels is None:
        return zip(images, repeat(None), strict=False)
    return zip(images, prepare_labels(case.labels, settings), strict=True)


def _refuse(key: str, found: str, expected: str) -> InputError:
    return InputError(f"kits19.prepare.{key}", found, expected, "Correct the configuration.")
