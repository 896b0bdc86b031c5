"""Balanced selections of patches: the thesis's method and the two that it is compared with."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from medscale.errors import InputError
from medscale.seeds import generator

STRATEGIES = ("unbalanced", "class_balanced", "slide_balanced")
D4_ELEMENTS = 8
POSITION = ["slide", "y", "x"]


def balance_patches(grid: pd.DataFrame, strategy: str, seed: int) -> pd.DataFrame:
    """Choose the training samples from the patches of all slides.

    - `unbalanced`: every patch once.
    - `class_balanced`: every tumour patch once, and as many normal ones drawn at random from all slides.
    - `slide_balanced`: the thesis, section 2.2.2. The tumour patches of each slide that has any are
      brought to the mean count of these slides: deleted at random above it, augmented below it. Then as
      many normal patches as tumour patches in total are drawn at random from all slides.

    Augmented samples are copies with an element of the dihedral group D4. A patch is copied with an
    element for the second time only when it has been used with all 8, and then differs in its `seed`.
    Where there are fewer normal patches than are needed, they are augmented in the same way.

    Parameters
    ----------
    grid : DataFrame
        Rows of `grid_patches`. Their order does not matter.
    strategy : str
        One of `STRATEGIES`.
    seed : int

    Returns
    -------
    DataFrame
        Columns of `grid` with `augmentation` (int8, element of D4, 0 is none) and `seed` (int64),
        ordered by slide, y, x, augmentation.

    Raises
    ------
    InputError
        If the strategy is unknown, there is no tumour patch, or there is no normal patch to balance them.
    """
    _check(grid, strategy)
    grid = grid.sort_values(POSITION, kind="stable", ignore_index=True)
    if strategy == "unbalanced":
        manifest = grid.assign(augmentation=np.int8(0))
    else:
        tumour, normal = grid[grid["label"] == 1], grid[grid["label"] == 0]
        if strategy == "slide_balanced":
            tumour = _level_slides(tumour, seed)
        else:
            tumour = tumour.assign(augmentation=np.int8(0))
        manifest = pd.concat([tumour, _draw(normal, len(tumour), generator(seed, strategy, "normal"))])
    manifest = manifest.sort_values([*POSITION, "augmentation"], kind="stable", ignore_index=True)
    return manifest.assign(seed=_row_seeds(manifest["slide"], seed))


def count_patches(
    grid: pd.DataFrame, manifest: pd.DataFrame, tissue_tumour_share: Mapping[str, float]
) -> pd.DataFrame:
    """Count the patches of each slide before and after balancing, like Table 2.1 of the thesis.

    Parameters
    ----------
    grid, manifest : DataFrame
        What `balance_patches` was given, and what it returned.
    tissue_tumour_share : mapping
        Share of each slide's tissue that is tumour, 0 to 1. Its slides are listed even if they have no patch.

    Returns
    -------
    DataFrame
        slide, tumour_before, normal_before, tumour_after, normal_after, tumour_share_of_tissue.
    """
    slides = sorted(set(grid["slide"]) | set(tissue_tumour_share))
    counts = pd.DataFrame({"slide": slides})
    for table, when in ((grid, "before"), (manifest, "after")):
        for label, name in ((1, "tumour"), (0, "normal")):
            found = table.loc[table["label"] == label, "slide"].value_counts()
            counts[f"{name}_{when}"] = counts["slide"].map(found).fillna(0).astype("int64")
    shares = [tissue_tumour_share.get(slide, np.nan) for slide in slides]
    return counts.assign(tumour_share_of_tissue=np.asarray(shares, np.float64))


def draw_counts(counts: pd.DataFrame) -> Figure:
    """Draw tumour and normal patches of each slide before and after balancing, like Figure 2.3.

    Parameters
    ----------
    counts : DataFrame
        As `count_patches` returns it.
    """
    figure = Figure(figsize=(max(6.0, 1.5 + 0.4 * len(counts)), 7.0), layout="constrained")
    place = np.arange(len(counts))
    for axes, name in zip(figure.subplots(2, 1, sharex=True), ("tumour", "normal"), strict=True):
        axes.bar(place - 0.2, counts[f"{name}_before"], 0.4, label="before balancing", color="#bbbbbb")
        axes.bar(place + 0.2, counts[f"{name}_after"], 0.4, label="after balancing", color="#c0392b")
        axes.set_yscale("symlog", linthresh=1)
        axes.set_ylim(bottom=0)
        axes.set_ylabel(f"{name} patches")
        axes.grid(axis="y", alpha=0.3)
    axes.set_xticks(place, counts["slide"], rotation=90, fontsize=8)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


def _check(grid: pd.DataFrame, strategy: str) -> None:
    if strategy not in STRATEGIES:
        expected = "one of " + ", ".join(STRATEGIES)
        raise InputError(
            "pathology.balancing", repr(strategy), expected, "Correct the strategy in the config."
        )
    if not (grid["label"] == 1).any():
        mend = "Add annotated slides with tumour to the split, or lower `min_tumour_fraction`."
        raise InputError("patch grids", "no tumour patch", "tumour patches on at least one slide", mend)
    if strategy != "unbalanced" and not (grid["label"] == 0).any():
        mend = "Add negative slides to the split, or lower `min_tissue_fraction`."
        raise InputError("patch grids", "no normal patch", "normal patches to balance the tumour", mend)


def _level_slides(tumour: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Bring each slide to the mean count; the remainder goes to the first slides, one patch each."""
    slides = sorted(tumour["slide"].unique())
    mean, remainder = divmod(len(tumour), len(slides))
    parts = dict(list(tumour.groupby("slide", sort=True)))
    return pd.concat(
        [
            _draw(
                parts[slide], mean + (place < remainder), generator(seed, "slide_balanced", "tumour", slide)
            )
            for place, slide in enumerate(slides)
        ]
    )


def _draw(pool: pd.DataFrame, count: int, random: np.random.Generator) -> pd.DataFrame:
    """Return `count` samples of `pool`: some of it, or all of it and copies with elements of D4."""
    rounds, rest = divmod(count, len(pool))
    copies = np.full(len(pool), rounds)
    copies[random.choice(len(pool), rest, replace=False)] += 1
    row = np.repeat(np.arange(len(pool)), copies)
    turn = np.arange(count) - np.repeat(np.cumsum(copies) - copies, copies)
    elements = np.zeros((len(pool), D4_ELEMENTS), np.int8)
    elements[:, 1:] = random.permuted(np.tile(np.arange(1, D4_ELEMENTS), (len(pool), 1)), axis=1)
    return pool.iloc[row].assign(augmentation=elements[row, turn % D4_ELEMENTS])


def _row_seeds(slides: pd.Series, seed: int) -> np.ndarray:
    """Return a seed for each row of a manifest ordered by slide; it depends on the slide's own rows only."""
    seeds = np.empty(len(slides), np.int64)
    for slide, rows in slides.groupby(slides, sort=True).indices.items():
        seeds[rows] = generator(seed, "augmentation", slide).integers(0, 2**63 - 1, len(rows))
    return seeds
