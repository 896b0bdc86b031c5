"""Print speed and memory beside what they are compared with: `python -m benchmarks [NAME ...]`."""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.big_slide import write_big_slide
from benchmarks.case_preparation import compare_preparation
from benchmarks.masks import time_rasterising
from benchmarks.memory import measure_memory
from benchmarks.projection import compare_projection
from benchmarks.reading import compare_reading
from benchmarks.scan_preparation import compare_scan_preparation
from benchmarks.scan_training import compare_scan_training
from benchmarks.segmentation_inference import measure_inference
from benchmarks.segmentation_training import compare_training

BIG_PX = 60_000
READING_PX = 12_288

Rows = list[tuple[str, str]]


def measure_slides(folder: Path, edge_px: int) -> Rows:
    """Measure reading, masks and memory on painted slides, the largest of `edge_px`."""
    write_big_slide(folder / "slide.tif", READING_PX)
    rows = compare_reading(folder / "slide.tif") + time_rasterising()
    for size in (edge_px // 4, edge_px):
        slide = folder / f"slide of {size} x {size} px.tif"
        write_big_slide(slide, size)
        rows += measure_memory(slide, folder)
    return rows


BENCHMARKS: dict[str, Callable[[Path, int], Rows]] = {
    "projection": lambda folder, edge_px: compare_projection(),
    "slides": measure_slides,
    "case_preparation": lambda folder, edge_px: compare_preparation(folder),
    "segmentation_training": lambda folder, edge_px: compare_training(),
    "segmentation_inference": lambda folder, edge_px: measure_inference(folder),
    "scan_preparation": lambda folder, edge_px: compare_scan_preparation(folder),
    "scan_training": lambda folder, edge_px: compare_scan_training(),
}


def main() -> None:
    """Run the benchmarks that are named on the command line, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; all by default"
    )
    parser.add_argument(
        "--edge-px", type=int, default=BIG_PX, help=f"edge of the largest slide ({BIG_PX} px)"
    )
    chosen = parser.parse_args()
    unknown = [name for name in chosen.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark {unknown[0]!r}: choose from {', '.join(BENCHMARKS)}")
    names = chosen.names or list(BENCHMARKS)
    if len(names) > 1:
        # Each in a process of its own, whose memory no other benchmark has filled before.
        for name in names:
            command = [sys.executable, "-m", "benchmarks", name, "--edge-px", str(chosen.edge_px)]
            subprocess.run(command, check=True)
        return
    print(f"load before the run: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for what, result in BENCHMARKS[names[0]](Path(folder), chosen.edge_px):
            print(f"{what}  {result}", flush=True)


if __name__ == "__main__":
    main()
