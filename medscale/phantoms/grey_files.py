"""Grey demo pictures as files."""

from pathlib import Path

import cv2
import numpy as np

from medscale.files.atomic import atomic_path


def write_grey(grey: np.ndarray, path: str | Path) -> None:
    """Write a picture, uint8 of shape (rows, columns), as PNG or JPEG by the suffix of `path`.

    It is kept in three equal channels, as most of the collections on the web are.
    """
    done, encoded = cv2.imencode(Path(path).suffix, cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR))
    if not done:
        raise ValueError(f"{path}: OpenCV writes no such picture")
    with atomic_path(path) as temporary:
        temporary.write_bytes(encoded.tobytes())
