"""Tumour probability over a whole slide, computed tile by tile."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from torch import nn

from medscale.files.finished import Item, make_each
from medscale.files.pictures import write_picture
from medscale.files.provenance import digest_together
from medscale.files.rasters import TILE_PX, Raster, read_raster, write_tiles
from medscale.pathology.overlap import resample_mask
from medscale.pathology.patch_classifier import score_patches
from medscale.pathology.slides import Slide
from medscale.training.models import ModelCard

log = logging.getLogger(__name__)

BLOCK_PX = 1024
BLOCKS_AHEAD = 2
OVERLAY_PX = 2048
OVERLAY_OPACITY = 0.45

Predict = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class HeatmapGrid:
    """Cells of a heatmap and the patch that is centred on each.

    Attributes
    ----------
    stride_um : float
        Edge of a cell.
    size_px, um_px : int, float
        Edge of a patch in pixels, and of a pixel in µm.
    min_tissue_fraction : float
        Share of tissue that a cell needs to be scored.
    """

    stride_um: float
    size_px: int
    um_px: float
    min_tissue_fraction: float

    def shape(self, slide: Slide) -> tuple[int, int]:
        """Return the rows and columns of cells that cover `slide`."""
        return slide.raster_shape(self.stride_um)


def map_probabilities(
    slide: Slide, tissue: Raster, predict: Predict, grid: HeatmapGrid, path: str | Path
) -> None:
    """Write the heatmap of `slide` to `path`: float32 tumour probability, NaN off tissue.

    Each cell holds the probability of the patch centred on it. Blocks of the slide are read ahead
    while the network works, and tiles are written as they are done, so that memory does not grow
    with the slide.

    Parameters
    ----------
    tissue : Raster of uint8
    predict : callable
        Patches (n, size, size, 3) of uint8 to probabilities (n,).
    """
    rows, columns = grid.shape(slide)
    shares = resample_mask(tissue, (rows, columns), grid.stride_um)
    wanted = (shares >= grid.min_tissue_fraction) & (shares > 0)
    log.info("%s: %d of %d cells are tissue", slide.path, wanted.sum(), wanted.size)
    tiles = _predict_tiles(slide, wanted, predict, grid)
    write_tiles(tiles, path, (rows, columns), np.dtype(np.float32), grid.stride_um)


@dataclass(frozen=True)
class SlideToMap:
    """A slide with the files that its heatmap is made from and written to."""

    name: str
    path: Path
    tissue: Path
    heatmap: Path
    overlay: Path

    @classmethod
    def pair(cls, *columns: Sequence[str]) -> list["SlideToMap"]:
        """Pair names, slides, tissue masks, heatmaps and overlays in their order."""
        return [cls(name, *map(Path, paths)) for name, *paths in zip(*columns, strict=True)]


def map_slides(
    slides: Sequence[SlideToMap],
    network: nn.Module,
    card: ModelCard,
    *,
    stride_um: float,
    min_tissue_fraction: float,
    fallback_um_px: float | None,
    finished: Path,
) -> None:
    """Write heatmap and overlay of many slides; those that an earlier run finished are reused.

    Parameters
    ----------
    network, card
        As `load_model` returns them.
    finished : Path
        Folder that keeps what is finished until all slides are.
    """
    device = next(network.parameters()).device
    grid = HeatmapGrid(stride_um, card.inputs["size_px"], card.inputs["um_px"], min_tissue_fraction)
    predict = partial(score_patches, network, device=device)
    by_name = {slide.name: slide for slide in slides}

    def make(item: Item) -> None:
        this = by_name[item.name]
        with Slide(this.path, fallback_um_px) as slide:
            map_probabilities(slide, read_raster(this.tissue), predict, grid, this.heatmap)
            write_picture(draw_overlay(slide, read_raster(this.heatmap)), this.overlay)

    make_each([_item(slide) for slide in slides], make, finished)


def draw_overlay(slide: Slide, heatmap: Raster) -> np.ndarray:
    """Return the slide with its heatmap over it, as Figure 2.4 of the thesis; red is tumour.

    Returns
    -------
    ndarray of uint8, shape (rows, columns, 3)
    """
    um_px = max(heatmap.um_px / 2, max(slide.width, slide.height) * slide.um_px / OVERLAY_PX, slide.um_px)
    picture = slide.overview(um_px).values
    size = picture.shape[1::-1]
    known = ~np.isnan(heatmap.values)
    levels = np.where(known, heatmap.values * 255, 0).astype(np.uint8)
    colours = cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB)
    colours = cv2.resize(colours, size, interpolation=cv2.INTER_NEAREST)
    known = cv2.resize(known.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    mixed = cv2.addWeighted(picture, 1 - OVERLAY_OPACITY, colours, OVERLAY_OPACITY, 0)
    return np.where(known[..., None], mixed, picture)


def _item(slide: SlideToMap) -> Item:
    key = digest_together([slide.path, slide.tissue], {})
    return Item(slide.name, key, [slide.heatmap, slide.overlay])


def _predict_tiles(
    slide: Slide, wanted: np.ndarray, predict: Predict, grid: HeatmapGrid
) -> Iterator[np.ndarray]:
    rows, columns = wanted.shape
    with ThreadPoolExecutor(1) as reader:
        for top in range(0, rows, TILE_PX):
            for left in range(0, columns, TILE_PX):
                part = wanted[top : top + TILE_PX, left : left + TILE_PX]
                tile = np.full((TILE_PX, TILE_PX), np.nan, np.float32)
                blocks = _blocks(part, top, left, grid)
                jobs = (reader.submit(_read_block, slide, grid, block) for block in blocks)
                for cells, patches in _ahead(jobs):
                    tile[cells[:, 0] - top, cells[:, 1] - left] = predict(patches)
                yield tile


def _blocks(wanted: np.ndarray, top: int, left: int, grid: HeatmapGrid) -> Iterator[np.ndarray]:
    """Yield groups of neighbouring cells (n, 2) as (row, column) of the heatmap, none of them empty."""
    edge = max(1, int(BLOCK_PX * grid.um_px / grid.stride_um))
    for row in range(0, wanted.shape[0], edge):
        for column in range(0, wanted.shape[1], edge):
            cells = np.argwhere(wanted[row : row + edge, column : column + edge])
            if len(cells):
                yield cells + np.array([top + row, left + column])


def _read_block(slide: Slide, grid: HeatmapGrid, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Read one region that covers the patches of all `cells`, and cut them out of it."""
    stride_px = grid.stride_um / grid.um_px
    corners = np.rint((cells + 0.5) * stride_px - grid.size_px / 2).astype(int)
    origin = corners.min(axis=0)
    height, width = corners.max(axis=0) - origin + grid.size_px
    scale = grid.um_px / slide.um_px
    region = slide.read(round(origin[1] * scale), round(origin[0] * scale), width, height, grid.um_px)
    patches = np.empty((len(cells), grid.size_px, grid.size_px, 3), np.uint8)
    for patch, (top, left) in zip(patches, corners - origin, strict=True):
        patch[:] = region[top : top + grid.size_px, left : left + grid.size_px]
    return cells, patches


def _ahead(jobs: Iterator) -> Iterator:
    """Yield the results of `jobs` in order, keeping a few of them running ahead."""
    running = list(islice(jobs, BLOCKS_AHEAD))
    while running:
        result = running.pop(0).result()
        running.extend(islice(jobs, 1))
        yield result
