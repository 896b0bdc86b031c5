"""Print speed and memory beside what they are compared with: `python -m benchmarks [EDGE_PX]`."""

import os
import sys
import tempfile
from pathlib import Path

from benchmarks.big_slide import write_big_slide
from benchmarks.masks import time_rasterising
from benchmarks.memory import measure_memory
from benchmarks.projection import compare_projection
from benchmarks.reading import compare_reading

BIG_PX = 60_000
READING_PX = 12_288


def main(edge_px: int) -> None:
    """Make slides in a temporary folder, one of them of `edge_px`, measure, and print a table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = compare_projection() + _read(folder / "slide.tif") + time_rasterising()
        for size in (edge_px // 4, edge_px):
            slide = folder / f"slide of {size} x {size} px.tif"
            write_big_slide(slide, size)
            rows += measure_memory(slide, folder)
    width = max(len(what) for what, _ in rows)
    print(f"load before the run: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for what, result in rows:
        print(f"{what:<{width}}  {result}")


def _read(slide: Path) -> list[tuple[str, str]]:
    write_big_slide(slide, READING_PX)
    return compare_reading(slide)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else BIG_PX)
