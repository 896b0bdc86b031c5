"""Labels for every voxel of a case, on the grid that it came in.

A network sees prepared slices, small and square. Its probabilities are enlarged to the slices of the case
before each voxel takes its likeliest class, which keeps outlines finer than enlarged labels would be.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from medscale.errors import InputError
from medscale.files.sliced_volumes import write_slices
from medscale.kits19.blending import blend_blocks, block_weights
from medscale.kits19.cases import AXES, Grid, read_grid
from medscale.kits19.prepared_files import read_block, read_info, read_size, read_slices
from medscale.kits19.slices_and_blocks import block_starts
from medscale.training.models import ModelCard

log = logging.getLogger(__name__)

BRIGHTEST = 255.0


@dataclass(frozen=True)
class PredictionSettings:
    """How much of a case a network sees at once.

    Attributes
    ----------
    batch_slices : int
        Slices in a batch; a network that sees blocks is given as many whole ones as fit, and one at least. On
        a CPU, two take less time than one: for one alone, torch has no fast convolution in three dimensions.
    overlap_slices : int
        Slices that a block shares with the one before, for a network that sees blocks; they are as deep as
        those that it was trained on.
    """

    batch_slices: int
    overlap_slices: int


def predict_cases(
    network: nn.Module,
    card: ModelCard,
    prepared: Sequence[str | Path],
    imaging: Sequence[str | Path],
    paths: Sequence[str | Path],
    settings: PredictionSettings,
    device: torch.device,
) -> pd.DataFrame:
    """Write the labels of each case, and return what that cost.

    Parameters
    ----------
    network, card
        As `load_model` returns them.
    prepared, imaging, paths : sequence of str or Path
        Prepared cases, the volumes that they were made from, and files to write, in the same order.

    Returns
    -------
    DataFrame
        case, slices, seconds.

    Raises
    ------
    InputError
        As `predict_case`.
    """
    rows = []
    for case, volume, path in zip(prepared, imaging, paths, strict=True):
        started = time.perf_counter()
        predict_case(network, card, case, read_grid(volume), path, settings, device)
        seconds = time.perf_counter() - started
        rows.append({"case": read_info(case).case, "slices": read_size(case)[0], "seconds": seconds})
        log.info("%s: %.1f s", path, seconds)
    return pd.DataFrame(rows, columns=["case", "slices", "seconds"])


def predict_case(
    network: nn.Module,
    card: ModelCard,
    prepared: str | Path,
    grid: Grid,
    path: str | Path,
    settings: PredictionSettings,
    device: torch.device,
) -> None:
    """Write the labels of a case, uint8, on the grid of its imaging.

    Memory does not depend on the number of slices: one batch or block of probabilities is held at a time,
    and labels wait on disk until the file is packed.

    Parameters
    ----------
    network : Module
        In evaluation mode on `device`; `network.dimensions` says whether it sees slices (2) or blocks (3).
    card : ModelCard
        Of the network: what it was trained on.
    prepared : str or Path
        The prepared case.
    grid : Grid
        Of the imaging that it was prepared from.
    path : str or Path
        `.nii` or `.nii.gz`.

    Raises
    ------
    InputError
        If the case was made from a volume of another shape, was prepared otherwise than what the network
        was trained on, or blocks would overlap by all their slices.
    """
    _check(card, prepared, grid, settings)
    probabilities = predict_slices(network, card, prepared, settings, device)
    labels = (label_slice(values, grid.case_shape[1:]) for values in probabilities)
    write_slices(labels, AXES, grid.shape, grid.affine, np.uint8, path)


@torch.inference_mode()
def predict_slices(
    network: nn.Module,
    card: ModelCard,
    prepared: str | Path,
    settings: PredictionSettings,
    device: torch.device,
) -> Iterator[Tensor]:
    """Yield the probabilities of each slice in order, float32 of shape (3, size, size), on `device`.

    Parameters are those of `predict_case`.
    """
    slices, _ = read_size(prepared)
    if network.dimensions == 3:
        depth, overlap = card.inputs["slices"], settings.overlap_slices
        starts, at_once = block_starts(slices, depth, overlap), max(1, settings.batch_slices // depth)
        groups = [starts[first : first + at_once] for first in range(0, len(starts), at_once)]
        blocks = _predict_blocks(network, prepared, groups, depth, device)
        yield from blend_blocks(blocks, slices, block_weights(depth, overlap))
        return
    for first in range(0, slices, settings.batch_slices):
        numbers = range(first, min(first + settings.batch_slices, slices))
        image, _ = read_slices(prepared, numbers)
        yield from _probabilities(network, _to_input(image, device)[:, None])


def label_slice(probabilities: Tensor, shape: tuple[int, int]) -> np.ndarray:
    """Return the likeliest class of each pixel, uint8 of shape `shape`.

    Parameters
    ----------
    probabilities : Tensor, shape (classes, size, size)
        Enlarged bilinearly, with the corners of the pictures on each other, not the centres of their pixels.
    shape : (rows, columns)
    """
    enlarged = nn.functional.interpolate(probabilities[None], shape, mode="bilinear", align_corners=False)
    return _likeliest(enlarged[0]).cpu().numpy()


def _predict_blocks(
    network: nn.Module,
    prepared: str | Path,
    groups: Sequence[Sequence[int]],
    depth: int,
    device: torch.device,
) -> Iterator[tuple[int, Tensor]]:
    """Yield where each block begins and its probabilities, shape (depth, 3, size, size), a group at once."""
    for starts in groups:
        images = np.stack([read_block(prepared, first, depth)[0] for first in starts])
        blocks = _probabilities(network, _to_input(images, device)[:, None])
        yield from zip(starts, blocks.transpose(1, 2), strict=True)


def _to_input(image: np.ndarray, device: torch.device) -> Tensor:
    return torch.from_numpy(image).to(device).float() / BRIGHTEST


def _probabilities(network: nn.Module, inputs: Tensor) -> Tensor:
    return network(inputs).float().softmax(dim=1)


def _likeliest(values: Tensor) -> Tensor:
    """Return the class of the largest value, uint8; of equal ones the first."""
    # One comparison a class: torch's argmax over them takes 9 times as long on a CPU.
    best, labels = values[0], torch.zeros_like(values[0], dtype=torch.uint8)
    for number, own in enumerate(values[1:], 1):
        labels = labels.masked_fill(own > best, number)
        best = torch.maximum(best, own)
    return labels


def _check(card: ModelCard, prepared: str | Path, grid: Grid, settings: PredictionSettings) -> None:
    info, depth = read_info(prepared), card.inputs["slices"]
    if info.original_shape != grid.case_shape:
        found, expected = (
            f"{shape} slices, rows and columns" for shape in (info.original_shape, grid.case_shape)
        )
        raise InputError(prepared, found, f"the {expected} of its imaging", "Delete the file and run again.")
    expected = {key: card.inputs[key] for key in ("size_px", "window_hu", "interpolation")}
    found = {
        "size_px": read_size(prepared)[1],
        "window_hu": list(info.window_hu),
        "interpolation": info.interpolation,
    }
    if found != expected:
        raise InputError(prepared, f"{found}", f"{expected}, as in training", "Prepare or train anew.")
    if depth and not 0 <= settings.overlap_slices < depth:
        raise InputError(
            "overlap of blocks", f"{settings.overlap_slices} slices", f"fewer than {depth}", "Correct it."
        )
