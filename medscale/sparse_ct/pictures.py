"""Rows of pictures: fewer views, and what networks make of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import nn

from medscale.sparse_ct.denoiser import denoise
from medscale.sparse_ct.images import CtImage, StoredSlices
from medscale.sparse_ct.pairs import Sizing
from medscale.sparse_ct.quality import score_slices
from medscale.sparse_ct.simulation import SimulationSettings, reconstruct_fbp, scan_geometry, simulate_scan
from medscale.sparse_ct.view_figure import draw_image_rows
from medscale.training.models import load_model

# Soft tissue and lung can both be told apart.
GREY_HU = (-1000.0, 600.0)


def draw_views(
    image: CtImage,
    number: int,
    views: Sequence[int],
    settings: SimulationSettings,
    seed: int,
    window_hu: tuple[float, float],
) -> Figure:
    """Draw a slice and its filtered back projection from each number of views (thesis, Figure 3.2)."""
    original = image.hu[[number]]
    pictures = []
    for count in views:
        geometry = scan_geometry(original.shape[-1], image.pixel_mm, count, settings)
        pictures.append(reconstruct_fbp(simulate_scan(original, geometry, settings, seed), geometry)[0])
    scores = [None, *(_psnr(original[0], picture, window_hu) for picture in pictures)]
    columns = ["original", *(f"{count} views" for count in views)]
    return draw_image_rows({"": [original[0], *pictures]}, columns, GREY_HU, {"": scores})


def draw_denoised(
    fbp_path: str | Path,
    original_path: str | Path,
    number: int,
    runs: Sequence[Mapping[str, Any]],
    weights: Sequence[str | Path],
    sizing: Sizing,
    device: torch.device,
) -> Figure:
    """Draw a slice before and after the networks of all schedules (thesis, Figures 3.12 and 3.13).

    Parameters
    ----------
    runs : sequence of mapping
        `output` and `schedule` of each network; one row of pictures for each output.
    weights : sequence of str or Path
        Files of the networks, in the same order.
    sizing : Sizing
        Whole slices are shown, at their size or resized as for training.
    """
    sparse, full = (_sized(StoredSlices(path)[number], sizing) for path in (fbp_path, original_path))
    rows: dict[str, list[np.ndarray]] = {}
    for run, path in zip(runs, weights, strict=True):
        network, card = load_model(path, device)
        window_hu = tuple(card.inputs["window_hu"])
        restored = denoise(network, card, sparse[None], device)[0]
        rows.setdefault(f"output: {run['output']}", [sparse]).append(restored)
    schedules = list(dict.fromkeys(run["schedule"] for run in runs))
    columns = ["sparse views", *schedules, "original"]
    scores = {
        name: [*(_psnr(full, picture, window_hu) for picture in pictures), None]
        for name, pictures in rows.items()
    }
    return draw_image_rows(
        {name: [*pictures, full] for name, pictures in rows.items()}, columns, GREY_HU, scores
    )


def _sized(hu: np.ndarray, sizing: Sizing) -> np.ndarray:
    if sizing.kind == "crop":
        return hu
    size = (sizing.size_px, sizing.size_px)
    return nn.functional.interpolate(torch.from_numpy(hu)[None, None], size, mode="bilinear")[0, 0].numpy()


def _psnr(reference: np.ndarray, picture: np.ndarray, window_hu: tuple[float, float]) -> float:
    return float(score_slices(reference[None], picture[None], window_hu)["psnr_db"].iloc[0])
