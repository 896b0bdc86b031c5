"""Pictures that tests write, in the layouts of brain MRI and of breast ultrasound."""

from pathlib import Path

import cv2
import numpy as np

from medscale.seeds import generator


def draw_blobs(name: str, rows: int = 96, columns: int = 80) -> np.ndarray:
    """Return a smooth random picture, uint8, that differs from those of other names everywhere."""
    coarse = generator(0, "test scans", name).integers(30, 256, (12, 12)).astype(np.uint8)
    return cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_LINEAR)


def write_pixels(path: Path, pixels: np.ndarray, suffix: str = "") -> None:
    """Write pixels as OpenCV orders them, in the format of `suffix` where the path's own would mislead."""
    path.parent.mkdir(parents=True, exist_ok=True)
    done, content = cv2.imencode(suffix or path.suffix.lower(), pixels)
    assert done
    path.write_bytes(content.tobytes())


def draw_mask(rows: int = 96, columns: int = 80, left: int = 10) -> np.ndarray:
    """Return a mask, uint8, with a white square of 20 pixels a side."""
    mask = np.zeros((rows, columns), np.uint8)
    mask[30:50, left : left + 20] = 255
    return mask


def write_brains(folder: Path, count: int = 5) -> Path:
    """Write `count` brain images a class, all different."""
    for label, letter in (("yes", "Y"), ("no", "N")):
        for number in range(1, count + 1):
            write_pixels(folder / label / f"{letter}{number}.png", draw_blobs(f"{label}{number}"))
    return folder


def write_breasts(folder: Path, count: int = 4) -> Path:
    """Write `count` breast images a class; those with a tumour have one mask each."""
    for label in ("benign", "malignant", "normal"):
        for number in range(1, count + 1):
            stem = f"{label} ({number})"
            write_pixels(folder / label / f"{stem}.png", draw_blobs(stem))
            if label != "normal":
                write_pixels(folder / label / f"{stem}_mask.png", draw_mask())
    return folder
