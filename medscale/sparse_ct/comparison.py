"""Scores of every reconstruction of a scan against the original."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from medscale.sparse_ct.fbp import WINDOWS
from medscale.sparse_ct.image_files import read_stored
from medscale.sparse_ct.quality import score_slices
from medscale.sparse_ct.scan_files import reconstruct_windows


@dataclass(frozen=True)
class ScannedImage:
    """Files of one image and of its reconstructions from one sparse-view scan.

    Attributes
    ----------
    original, sinogram : str or Path
    reconstructions : mapping of str to path
        By the name of the method.
    """

    original: str | Path
    sinogram: str | Path
    reconstructions: Mapping[str, str | Path]


def score_image(files: ScannedImage, window_hu: tuple[float, float]) -> pd.DataFrame:
    """Return one row for each slice and method, filtered back projection with each window among them."""
    original = read_stored(files.original).hu
    results = {f"fbp_{name}": hu for name, hu in reconstruct_windows(files.sinogram, list(WINDOWS)).items()}
    results |= {name: read_stored(path).hu for name, path in files.reconstructions.items()}
    parts = [
        score_slices(original, hu, window_hu).assign(method=method, slice=np.arange(len(hu)))
        for method, hu in results.items()
    ]
    return pd.concat(parts, ignore_index=True).assign(size_px=original.shape[-1])


def score_images(
    rows: Mapping[str, Sequence[str]],
    images: Sequence[ScannedImage],
    views: int,
    window_hu: tuple[float, float],
) -> pd.DataFrame:
    """Return the scores of all images with the columns of the sheet's rows (`image`, `patient`)."""
    parts = []
    for number, files in enumerate(images):
        named = {column: values[number] for column, values in rows.items()}
        parts.append(score_image(files, window_hu).assign(views=views, **named))
    table = pd.concat(parts, ignore_index=True)
    first = [*rows, "slice", "size_px", "views", "method"]
    return table[first + [column for column in table if column not in first]]
