"""Print speed and memory beside what they are compared with: `python -m benchmarks [EDGE_PX]`."""

import os
import sys
import tempfile
from pathlib import Path

from benchmarks.big_slide import write_big_slide
from benchmarks.masks import time_rasterising
from benchmarks.memory import measure_memory
from benchmarks.reading import compare_reading

BIG_PX = 60_000


def main(edge_px: int) -> None:
    """Make a small and a big slide in a temporary folder, measure, and print a table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        slides = [folder / f"{size}px.tif" for size in (edge_px // 4, edge_px)]
        for slide in slides:
            write_big_slide(slide, int(slide.stem.removesuffix("px")))
        rows = compare_reading(slides[0]) + time_rasterising()
        for slide in slides:
            rows += measure_memory(slide, folder)
    width = max(len(what) for what, _ in rows)
    print(f"load before the run: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for what, result in rows:
        print(f"{what:<{width}}  {result}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else BIG_PX)
