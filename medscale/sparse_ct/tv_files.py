"""Total variation on files: the choice of its weight, and the reconstruction of scans."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from medscale.sparse_ct.image_files import read_stored
from medscale.sparse_ct.images import write_image
from medscale.sparse_ct.quality import score_slices
from medscale.sparse_ct.sinogram_files import read_sinogram
from medscale.sparse_ct.tv import reconstruct_tv


def choose_tv_weight(
    sinograms: Sequence[str | Path],
    fbp: Sequence[str | Path],
    originals: Sequence[str | Path],
    weights: Sequence[float],
    iterations: int,
    window_hu: tuple[float, float],
) -> pd.DataFrame:
    """Try each weight on the middle slice of each scan.

    Returns
    -------
    DataFrame
        `weight`, `psnr_db` (mean over the slices), `slices`, `chosen` (the weight with the best mean).
    """
    scores: dict[float, list[float]] = {weight: [] for weight in weights}
    for paths in zip(sinograms, fbp, originals, strict=True):
        projections, geometry = read_sinogram(paths[0])
        start, original = (read_stored(path).hu for path in paths[1:])
        middle = np.array([len(original) // 2])
        for weight in weights:
            tv = reconstruct_tv(projections[middle], geometry, weight, iterations, start[middle])
            scores[weight] += score_slices(original[middle], tv, window_hu)["psnr_db"].tolist()
    means = [float(np.mean(scores[weight])) for weight in weights]
    best = int(np.argmax(means))
    return pd.DataFrame(
        {
            "weight": list(weights),
            "psnr_db": means,
            "slices": len(originals),
            "chosen": [number == best for number in range(len(weights))],
        }
    )


def reconstruct_tv_files(
    sinograms: Sequence[str | Path],
    fbp: Sequence[str | Path],
    weights: pd.DataFrame,
    iterations: int,
    paths: Sequence[str | Path],
) -> None:
    """Write the reconstruction of each scan with the chosen weight as NIfTI in HU.

    Parameters
    ----------
    weights : DataFrame
        Of `choose_tv_weight`.
    """
    weight = float(weights.loc[weights["chosen"], "weight"].iloc[0])
    for sinogram, fbp_path, path in zip(sinograms, fbp, paths, strict=True):
        projections, geometry = read_sinogram(sinogram)
        start = read_stored(fbp_path)
        write_image(start.with_hu(reconstruct_tv(projections, geometry, weight, iterations, start.hu)), path)
