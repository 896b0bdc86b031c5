"""Scores of the test patients' patches: the network's, and those of the best threshold on colour."""

import logging
from contextlib import closing

import cv2
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from torch import nn

from medscale.pathology.patch_classifier import draw_patches, score_patches
from medscale.pathology.patch_data import OpenSlides, SlideFiles, read_rows
from medscale.seeds import derive_seed

log = logging.getLogger(__name__)

COLOUR_PATCHES = 4000
# Haematoxylin and eosin in optical density (Ruifrok & Johnston 2001), rows unit length.
STAINS = np.array([[0.650, 0.704, 0.286], [0.072, 0.990, 0.105]])


def score_test_patches(
    network: nn.Module,
    grid: pd.DataFrame,
    manifest: pd.DataFrame,
    files: SlideFiles,
    *,
    patches_per_slide: int,
    seed: int,
) -> pd.DataFrame:
    """Score labelled patches with the network and with one colour statistic.

    The colour statistic and its direction are chosen on the training manifest: the best that a
    threshold on colour can do without seeing the test slides.

    Parameters
    ----------
    grid : DataFrame
        Patch grids of the test slides.
    manifest : DataFrame
        What the network trained on.
    patches_per_slide : int
        At most so many patches of a slide are scored, half of them tumour if there are so many.

    Returns
    -------
    DataFrame
        slide, x, y, label, probability, colour_score.
    """
    device = next(network.parameters()).device
    statistic, sign = choose_colour_statistic(manifest, files, seed)
    parts = []
    for slide, part in grid.groupby("slide", sort=True):
        chosen = draw_patches(part, patches_per_slide, derive_seed(seed, slide))
        patches = _read(chosen, files)
        table = chosen[["slide", "x", "y", "label"]].copy()
        table["probability"] = score_patches(network, patches, device)
        table["colour_score"] = sign * measure_colour(patches)[statistic].to_numpy()
        parts.append(table)
    empty = pd.DataFrame(columns=["slide", "x", "y", "label", "probability", "colour_score"])
    return pd.concat(parts, ignore_index=True) if parts else empty


def choose_colour_statistic(manifest: pd.DataFrame, files: SlideFiles, seed: int) -> tuple[str, int]:
    """Return the colour statistic that best separates the training patches, and its sign."""
    distinct = manifest.drop_duplicates(["slide", "x", "y"])
    chosen = draw_patches(distinct, COLOUR_PATCHES, derive_seed(seed, "colour"))
    colours = measure_colour(_read(chosen, files))
    aucs = {name: roc_auc_score(chosen["label"], colours[name]) for name in colours}
    best = max(aucs, key=lambda name: abs(aucs[name] - 0.5))
    log.info("colour threshold on %s: AUC %.3f on the training patches", best, aucs[best])
    return best, 1 if aucs[best] >= 0.5 else -1


def measure_colour(patches: np.ndarray) -> pd.DataFrame:
    """Return mean colour statistics of patches (n, size, size, 3) of uint8: one row a patch."""
    means = np.array([cv2.mean(patch)[:3] for patch in patches]).reshape(-1, 3)
    hsv = np.array([cv2.mean(cv2.cvtColor(patch, cv2.COLOR_RGB2HSV))[:3] for patch in patches])
    density = np.array([_mean_density(patch) for patch in patches]).reshape(-1, 3)
    stains = density @ np.linalg.pinv(STAINS)
    columns = dict(zip(["red", "green", "blue"], means.T, strict=True))
    columns |= dict(zip(["hue", "saturation", "value"], hsv.reshape(-1, 3).T, strict=True))
    columns |= dict(zip(["haematoxylin", "eosin"], stains.T, strict=True))
    return pd.DataFrame(columns)


def _mean_density(patch: np.ndarray) -> np.ndarray:
    counts = np.maximum(patch.reshape(-1, 3), 1).astype(np.float32)
    return -np.log(counts / 255).mean(axis=0)


def _read(patches: pd.DataFrame, files: SlideFiles) -> np.ndarray:
    with closing(OpenSlides(files)) as slides:
        return read_rows(patches, slides)
