"""Images of each class and split with their outlines: the true one, the U-Net's, and that with aid."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from medscale.errors import InputError
from medscale.figures.outlines import draw_outlined
from medscale.scans.images import HALF, WHITE
from medscale.scans.prepared_images import PreparedImages
from medscale.scans.sheets import list_classes

SPLITS = ("train", "test")
COLUMNS = ("image", "true", "plain", "aided")
TRUE_COLOUR, FOUND_COLOUR = "#56b4e9", "#ff8c1a"
CELL_INCHES, TITLE_INCHES, ROW_TITLE_INCHES, GAP = 1.35, 0.6, 0.9, 0.15
KEYS = ["split", "class"]


def choose_examples(scores: pd.DataFrame, count: int) -> pd.DataFrame:
    """Choose images of each split and class that are neither the best nor the worst.

    Sorted by the IoU without aid, they lie in the middle of `count` equal parts: one is the median.

    Parameters
    ----------
    scores : DataFrame
        Of `score_masks`, of the network without aid.
    count : int
        Of each split and class; fewer where there are fewer.

    Returns
    -------
    DataFrame
        split, class, image; train before test, classes without tumour first.
    """
    rows = []
    for split in SPLITS:
        for label in list_classes(scores):
            own = scores[(scores["split"] == split) & (scores["class"] == label)]
            ordered = own.sort_values(["iou", "image"])["image"].astype(str).tolist()
            places = [int((number + 0.5) / count * len(ordered)) for number in range(count)]
            rows += [(split, label, ordered[place]) for place in dict.fromkeys(places) if ordered]
    return pd.DataFrame(rows, columns=[*KEYS, "image"])


def draw_prediction_rows(
    examples: pd.DataFrame,
    images: PreparedImages,
    probabilities: Mapping[str, Mapping[str, np.ndarray]],
    scores: Mapping[str, pd.DataFrame],
) -> Figure:
    """Draw a row for each split and class: image, truth, outline without aid, outline with aid.

    In the pictures of outlines, the true one is drawn too, and the IoU is written.

    Parameters
    ----------
    examples : DataFrame
        Of `choose_examples`; several of one split and class stand side by side.
    images : PreparedImages
    probabilities : mapping
        Of the networks `plain` and `aided`, as `read_probabilities` returns them.
    scores : mapping of str to DataFrame
        Of both, by `score_masks`. An image that is called normal has no outline with aid.

    Raises
    ------
    InputError
        If there is no example.
    """
    if examples.empty:
        raise InputError("rows of predictions", "no image", "at least one", "Choose images of the sheet.")
    parts = list(examples.groupby(KEYS, sort=False)["image"])
    most = max(len(own) for _, own in parts)
    widths = ([1.0] * len(COLUMNS) + [GAP]) * most
    width = CELL_INCHES * sum(widths) + ROW_TITLE_INCHES
    figure = Figure(figsize=(width, CELL_INCHES * len(parts) + TITLE_INCHES), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0, hspace=0)
    grid = figure.subplots(len(parts), len(widths), squeeze=False, width_ratios=widths)
    for places, ((split, label), names) in zip(grid, parts, strict=True):
        for axes in places:
            axes.set_axis_off()
        for number, name in enumerate(names):
            own = places[number * (len(COLUMNS) + 1) :][: len(COLUMNS)]
            _draw_example(own, name, images, probabilities, scores)
        title = f"{split}\n{label}"
        places[0].text(-0.08, 0.5, title, ha="right", va="center", transform=places[0].transAxes, fontsize=9)
    for number in range(most * (len(COLUMNS) + 1)):
        place = number % (len(COLUMNS) + 1)
        if place < len(COLUMNS):
            grid[0, number].set_title(COLUMNS[place], fontsize=9)
    handles = [
        Line2D([], [], color=TRUE_COLOUR, label="true outline"),
        Line2D([], [], color=FOUND_COLOUR, label="predicted outline"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=8, frameon=False)
    return figure


def _draw_example(
    places: np.ndarray,
    name: str,
    images: PreparedImages,
    probabilities: Mapping[str, Mapping[str, np.ndarray]],
    scores: Mapping[str, pd.DataFrame],
) -> None:
    pixels, masks = images.pick([name])
    image, true = pixels[0], masks[0] > 0
    _draw(places[0], image, [])
    _draw(places[1], image, [(true, TRUE_COLOUR)])
    for axes, aid, column in zip(places[2:], ("plain", "aided"), ("iou", "iou_aided"), strict=True):
        row = scores[aid][scores[aid]["image"].astype(str) == name].iloc[0]
        found = probabilities[aid][name] >= HALF
        if aid == "aided" and row["called_normal"]:
            found = np.zeros_like(found)
        _draw(axes, image, [(true, TRUE_COLOUR), (found, FOUND_COLOUR)])
        axes.text(0.03, 0.03, f"IoU {row[column]:.2f}", color="white", fontsize=7, transform=axes.transAxes)


def _draw(axes: Axes, image: np.ndarray, outlines: list[tuple[np.ndarray, str]]) -> None:
    axes.set_axis_on()
    draw_outlined(axes, image, outlines, (0, WHITE), width=0.9)
