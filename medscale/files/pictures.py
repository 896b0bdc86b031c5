"""Pictures and figures for people to look at."""

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from medscale.files.atomic import atomic_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

JPEG_QUALITY = 90
DOTS_PER_INCH = 150


def write_picture(rgb: np.ndarray, path: str | Path) -> None:
    """Write an RGB picture, uint8 of shape (rows, columns, 3), as JPEG or PNG by the suffix of `path`."""
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    done, encoded = cv2.imencode(Path(path).suffix, bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise ValueError(f"{path}: OpenCV writes no such picture")
    with atomic_path(path) as temporary:
        temporary.write_bytes(encoded.tobytes())


def write_figure(figure: "Figure", path: str | Path) -> None:
    """Write a Matplotlib figure; the bytes hold no date and no version."""
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=DOTS_PER_INCH, bbox_inches="tight", metadata={"Software": None})


def draw_note(text: str) -> "Figure":
    """Return a figure that only says something, where there is nothing to draw."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 1.2))
    figure.text(0.5, 0.5, text, ha="center", va="center", fontsize=10)
    return figure
