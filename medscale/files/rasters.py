"""Images on a physical grid, as TIFF files that pathology viewers open."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile

from medscale.errors import InputError
from medscale.files.atomic import atomic_path

UM_PER_CM = 1e4
TILE_PX = 256


@dataclass(frozen=True)
class Raster:
    """Values on a square grid whose first pixel has its outer corner at the slide's origin.

    Attributes
    ----------
    values : ndarray, shape (rows, columns)
    um_px : float
        Edge of one pixel in µm.
    """

    values: np.ndarray
    um_px: float


def grid_shape(width: int, height: int, step: float) -> tuple[int, int]:
    """Return (rows, columns) of the pixels of `step` that cover an area of `width` by `height`."""
    # Rounding first keeps 1000 * 0.25 / 0.25 at 1000 whatever the last bit is.
    return tuple(int(np.ceil(round(edge / step, 6))) for edge in (height, width))


def write_raster(raster: Raster, path: str | Path) -> None:
    """Write `raster` as a deflated, tiled TIFF with its resolution in the tags."""
    rows, columns = raster.values.shape
    write_tiles(_cut_tiles(raster.values), path, (rows, columns), raster.values.dtype, raster.um_px)


def write_tiles(
    tiles: Iterator[np.ndarray], path: str | Path, shape: tuple[int, int], dtype: np.dtype, um_px: float
) -> None:
    """Write a tiled TIFF from `tiles` in row-major order without holding the whole image.

    Parameters
    ----------
    tiles : iterator of ndarray, shape (256, 256)
        One array for each tile; what lies beyond the image's edge is ignored by readers.
    shape : (rows, columns)
    um_px : float
        Edge of one pixel in µm.
    """
    pixels_per_cm = UM_PER_CM / um_px
    with atomic_path(path) as temporary:
        tifffile.imwrite(
            temporary,
            tiles,
            shape=shape,
            dtype=dtype,
            tile=(TILE_PX, TILE_PX),
            photometric="minisblack",
            compression="zlib",
            predictor=False,
            resolution=(pixels_per_cm, pixels_per_cm),
            resolutionunit="CENTIMETER",
            metadata=None,
            software="medscale",
        )


def read_raster(path: str | Path) -> Raster:
    """Read a raster that `write_raster` or `write_tiles` wrote.

    Raises
    ------
    InputError
        If the file is no TIFF or carries no resolution.
    """
    try:
        with tifffile.TiffFile(path) as file:
            page = file.pages[0]
            return Raster(page.asarray(), _um_px(page, path))
    except (tifffile.TiffFileError, OSError) as error:
        raise InputError(
            path, f"no readable TIFF ({error})", "a mask or heatmap", "Delete it and run again."
        ) from error


def _um_px(page: tifffile.TiffPage, path: str | Path) -> float:
    tag = page.tags.get("XResolution")
    if tag is None or page.tags["ResolutionUnit"].value != 3 or not tag.value[0]:
        raise InputError(
            path, "no resolution in pixels per cm", "resolution tags", "Delete it and run again."
        )
    return UM_PER_CM * tag.value[1] / tag.value[0]


def _cut_tiles(values: np.ndarray) -> Iterator[np.ndarray]:
    for top in range(0, values.shape[0], TILE_PX):
        for left in range(0, values.shape[1], TILE_PX):
            tile = np.zeros((TILE_PX, TILE_PX), values.dtype)
            part = values[top : top + TILE_PX, left : left + TILE_PX]
            tile[: part.shape[0], : part.shape[1]] = part
            yield tile
