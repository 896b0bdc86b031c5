"""From prepared cases to tables of training samples, and the weights that balance their classes."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from medscale.errors import InputError
from medscale.kits19.prepared_files import read_info, read_labels
from medscale.kits19.slices_and_blocks import (
    Balancing,
    choose_slices,
    cut_blocks,
    tabulate_slices,
)
from medscale.seeds import generator

log = logging.getLogger(__name__)

CLASS_COLUMNS = ["kidney_px", "tumour_px"]


@dataclass(frozen=True)
class SampleSettings:
    """Which samples are made of cases.

    Attributes
    ----------
    drop_background : bool
        As in `Balancing`.
    repeat_tumours : int
        As in `Balancing`.
    depth, overlap : int
        Slices in a block, and those that it shares with the one before.
    share_of_cases : float
        Of the cases, this share is used, whole patients; the thesis's first trials use 5 % (section 5.4).
    """

    drop_background: bool
    repeat_tumours: int
    depth: int
    overlap: int
    share_of_cases: float = 1.0

    def __post_init__(self):
        checks = {
            "repeat_tumours": (self.repeat_tumours >= 0, "0 or more"),
            "depth": (self.depth >= 1, "at least 1 slice"),
            "overlap": (0 <= self.overlap < self.depth, f"0 or more, and less than the depth ({self.depth})"),
            "share_of_cases": (0 < self.share_of_cases <= 1, "more than 0 and at most 1"),
        }
        for key, (holds, expected) in checks.items():
            if not holds:
                where, mend = f"kits19.balancing.{key}", "Correct the configuration."
                raise InputError(where, str(getattr(self, key)), expected, mend)

    @property
    def balancing(self) -> Balancing:
        """The two settings by which classes are balanced."""
        return Balancing(self.drop_background, self.repeat_tumours)


@dataclass(frozen=True)
class Samples:
    """What networks are trained on.

    Attributes
    ----------
    slices : DataFrame
        case, slice, kidney_px, tumour_px, repeats: samples of two-dimensional networks.
    blocks : DataFrame
        case, first, slices, tumour_px, repeats: samples of three-dimensional ones.
    weights : dict
        Of each of the two, the class weights and the numbers that they come from.
    """

    slices: pd.DataFrame
    blocks: pd.DataFrame
    weights: dict[str, dict[str, list[float] | list[int]]]


def balance_cases(paths: Sequence[str | Path], settings: SampleSettings, seed: int) -> Samples:
    """Choose the samples of prepared cases.

    For validation the settings are `drop_background=False, repeat_tumours=0, overlap=0`.

    Parameters
    ----------
    paths : sequence of str or Path
        Prepared cases; of none, the tables are empty and the weights 0.
    seed : int
        Draws the share of the cases.

    Raises
    ------
    InputError
        If a case has no labels, cases are of different sizes, or no case shows what is trained on.
    """
    if not paths:
        return _no_samples()
    chosen = choose_cases([str(path) for path in paths], settings.share_of_cases, seed)
    tables, sizes = [], {}
    for path in chosen:
        labels = read_labels(path)
        sizes[path] = labels.shape[1]
        tables.append(tabulate_slices(read_info(path).case, labels))
    size_px = _check_sizes(sizes)
    every = pd.concat(tables, ignore_index=True)
    _check_shown(every, settings.balancing)
    slices = choose_slices(every, settings.balancing)
    blocks = cut_blocks(every, settings.depth, settings.overlap, settings.balancing)
    pixels = {
        "slices": count_slice_pixels(slices, size_px),
        "blocks": count_block_pixels(blocks, every, size_px),
    }
    weights = {
        kind: {"class_weights": class_weights(counts).tolist(), "pixels": counts.tolist()}
        for kind, counts in pixels.items()
    }
    log.info("%d of %d cases: %d slices, %d blocks", len(chosen), len(paths), len(slices), len(blocks))
    return Samples(slices, blocks, weights)


def choose_cases(cases: Sequence[str], share: float, seed: int) -> list[str]:
    """Return a share of the cases, at least one, in their own order.

    The thesis tries its networks on "5 % of the data", the slices of five patients (section 5.1). So whole
    patients are drawn: as many slices of all patients would hold nearly everything that there is to learn.
    A smaller share is part of every larger one.

    Parameters
    ----------
    cases : sequence of str
        Names or paths; only their places decide.
    share : float
        More than 0, at most 1.
    """
    count = max(1, round(share * len(cases)))
    drawn = generator(seed, "share of cases").permutation(len(cases))[:count]
    return [cases[place] for place in sorted(drawn.tolist())]


def count_slice_pixels(slices: pd.DataFrame, size_px: int) -> np.ndarray:
    """Return the pixels of background, kidney and tumour in an epoch of slices, repeats counted; int64.

    Parameters
    ----------
    slices : DataFrame
        Of `choose_slices`.
    """
    shown = slices[CLASS_COLUMNS].multiply(slices["repeats"], axis=0).sum()
    return _with_background(shown, int(slices["repeats"].sum()) * size_px**2)


def count_block_pixels(blocks: pd.DataFrame, slices: pd.DataFrame, size_px: int) -> np.ndarray:
    """Return the pixels of background, kidney and tumour in an epoch of blocks; int64.

    Repeats count, slices in two blocks count twice, and padding is background, as in training.

    Parameters
    ----------
    blocks : DataFrame
        Of `cut_blocks`.
    slices : DataFrame
        Of `tabulate_slices`, from which the blocks were cut.
    """
    by_case = {case: rows[CLASS_COLUMNS].to_numpy() for case, rows in slices.groupby("case", sort=False)}
    shown = np.zeros(len(CLASS_COLUMNS), np.int64)
    for block in blocks.itertuples():
        pixels = by_case[block.case][block.first : block.first + block.slices]
        shown += block.repeats * pixels.sum(axis=0)
    return _with_background(shown, int((blocks["slices"] * blocks["repeats"]).sum()) * size_px**2)


def class_weights(pixels: np.ndarray) -> np.ndarray:
    """Return the weights n / (3 n_c) of background, kidney and tumour, as scikit-learn's `balanced` has them.

    A class without any pixel gets the weight 0: it cannot be learned, and would be given an infinite one.

    Parameters
    ----------
    pixels : ndarray of int, shape (3,)
        Of each class in an epoch.

    Returns
    -------
    ndarray of float64, shape (3,)
    """
    pixels = np.asarray(pixels, np.float64)
    weights = np.zeros(len(pixels))
    return np.divide(pixels.sum(), len(pixels) * pixels, out=weights, where=pixels > 0)


def _no_samples() -> Samples:
    none = tabulate_slices("", np.zeros((0, 1, 1), np.uint8))
    as_it_is = Balancing(drop_background=False, repeat_tumours=0)
    weights = {"class_weights": [0.0] * 3, "pixels": [0] * 3}
    slices, blocks = choose_slices(none, as_it_is), cut_blocks(none, 1, 0, as_it_is)
    return Samples(slices, blocks, {"slices": weights, "blocks": weights})


def _with_background(shown: Sequence[int], total: int) -> np.ndarray:
    kidney, tumour = (int(pixels) for pixels in shown)
    return np.array([total - kidney - tumour, kidney, tumour], np.int64)


def _check_sizes(sizes: dict[str, int]) -> int:
    size_px = next(iter(sizes.values()))
    for path, other in sizes.items():
        if other != size_px:
            raise InputError(
                path,
                f"slices of {other} px",
                f"{size_px} px, as in {next(iter(sizes))}",
                "Delete both files and run again.",
            )
    return size_px


def _check_shown(slices: pd.DataFrame, balancing: Balancing) -> None:
    """Refuse cases without kidneys where background is dropped; say where there is no tumour to learn."""
    shown = slices[CLASS_COLUMNS].sum()
    if shown["tumour_px"] == 0:
        log.warning("no tumour in any of %d cases: its class weight is 0", slices["case"].nunique())
    if balancing.drop_background and shown.sum() == 0:
        raise InputError(
            "the labels of the cases",
            "neither kidney nor tumour in any slice",
            "labels 1 or 2 in at least one case",
            "Set kits19.balancing.drop_background to false, or give cases with labels.",
        )
    kidneys = slices.groupby("case")[CLASS_COLUMNS].sum().sum(axis=1)
    for case in kidneys.index[kidneys == 0]:
        log.warning("%s shows no kidney: nothing of it is used where background is dropped", case)
