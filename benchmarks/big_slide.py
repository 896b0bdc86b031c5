"""A slide as large as real ones, written tile by tile."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import tifffile

UM_PX = 0.25
UM_PER_CM = 1e4
TILE_PX = 512
BANK = 8
SMALLEST_LEVEL_PX = 1000


def write_big_slide(path: str | Path, edge_px: int) -> None:
    """Write a square slide of 0.25 µm/px, a disc of noisy tissue on glass, as a JPEG pyramid.

    Parameters
    ----------
    edge_px : int
        Edge at level 0; each further level is half as wide.
    """
    bank, glass = _tissue_tiles(), np.full((TILE_PX, TILE_PX, 3), 244, np.uint8)
    with tifffile.TiffWriter(path, bigtiff=True) as file:
        level, size = 0, edge_px
        while level == 0 or size >= SMALLEST_LEVEL_PX:
            pixels_per_cm = UM_PER_CM / (UM_PX * 2**level)
            file.write(
                _tiles(size, bank, glass),
                shape=(size, size, 3),
                dtype=np.uint8,
                tile=(TILE_PX, TILE_PX),
                photometric="rgb",
                compression="jpeg",
                compressionargs={"level": 85},
                subfiletype=int(level > 0),
                resolution=(pixels_per_cm, pixels_per_cm),
                resolutionunit="CENTIMETER",
                metadata=None,
            )
            level, size = level + 1, size // 2


def _tissue_tiles() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    tiles = []
    for _ in range(BANK):
        coarse = rng.integers(0, 70, (TILE_PX // 8, TILE_PX // 8, 1), dtype=np.uint8)
        grain = cv2.resize(coarse, (TILE_PX, TILE_PX), interpolation=cv2.INTER_CUBIC)[..., None]
        noise = rng.integers(0, 25, (TILE_PX, TILE_PX, 3), dtype=np.uint8)
        tiles.append(np.clip(np.array([215, 150, 200]) - grain - noise, 0, 255).astype(np.uint8))
    return tiles


def _tiles(size: int, bank: list[np.ndarray], glass: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the tiles of a level: tissue where the tile's centre lies in a disc of 0.4 edges radius."""
    count = -(-size // TILE_PX)
    for row in range(count):
        for column in range(count):
            y, x = (np.array([row, column]) + 0.5) * TILE_PX / size - 0.5
            yield bank[(7 * row + column) % BANK] if np.hypot(x, y) < 0.4 else glass
