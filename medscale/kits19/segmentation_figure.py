"""CT slices with the outlines of kidney and tumour: the true ones above, below them what networks find."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from medscale.errors import InputError
from medscale.figures.outlines import draw_outlined
from medscale.kits19.surface import bounding_box

CELL_INCHES, TITLE_INCHES, LINE_INCHES = 2.0, 0.3, 0.16
ROW_TITLE_INCHES = 0.8
# Outlines that colour-blind readers can tell from each other and from grey. Kidney means with its tumour.
OUTLINES = {"kidney": (1, "#56b4e9"), "tumour": (2, "#ff8c1a")}
MARGIN_SHARE, LEAST_PX = 0.15, 32
CHARACTERS_PER_INCH = 16


def draw_segmentations(
    images: Sequence[np.ndarray],
    rows: Mapping[str, Sequence[np.ndarray]],
    columns: Sequence[str],
    window_hu: tuple[float, float],
    caption: str = "",
    notes: Mapping[str, Sequence[str]] | None = None,
) -> Figure:
    """Draw a grid of slices, cut to the region in which any row has a kidney.

    Parameters
    ----------
    images : sequence of ndarray, shape (rows, columns)
        HU of each column's slice, all of one shape.
    rows : mapping of str to sequence of ndarray of uint8, shape (rows, columns)
        Title and labels of each row, one for each image.
    columns : sequence of str
        Titles of the columns.
    window_hu : (low, high)
        HU that are drawn black and white.
    caption : str
        Written below.
    notes : mapping of str to sequence of str, optional
        What to write into the pictures of a row.

    Raises
    ------
    InputError
        If there is nothing to draw, or a row has not one picture for each column.
    """
    _check(images, rows, columns)
    view = _common_view([labels for row in rows.values() for labels in row], images[0].shape)
    tall = CELL_INCHES * (view[0].stop - view[0].start) / (view[1].stop - view[1].start)
    width = CELL_INCHES * len(columns) + ROW_TITLE_INCHES
    lines = _wrap(caption, int(width * CHARACTERS_PER_INCH))
    height = tall * len(rows) + 2 * TITLE_INCHES + LINE_INCHES * len(lines)
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0, hspace=0)
    grid = figure.subplots(len(rows), len(columns), squeeze=False)
    for places, (title, row) in zip(grid, rows.items(), strict=True):
        places[0].set_ylabel(title.replace("_", "\n"), rotation=0, ha="right", va="center", fontsize=9)
        written = (notes or {}).get(title, [""] * len(columns))
        for axes, image, labels, note in zip(places, images, row, written, strict=True):
            outlines = [(labels[view] >= lowest, colour) for lowest, colour in OUTLINES.values()]
            draw_outlined(axes, image[view], outlines, window_hu)
            axes.text(0.03, 0.03, note, color="white", fontsize=7, transform=axes.transAxes)
    for axes, title in zip(grid[0], columns, strict=True):
        axes.set_title(title, fontsize=9)
    handles = [Line2D([], [], color=colour, label=name) for name, (_, colour) in OUTLINES.items()]
    figure.legend(handles=handles, loc="outside upper right", ncols=2, fontsize=8, frameon=False)
    figure.supxlabel("\n".join(lines), fontsize=8, x=0.01, ha="left")
    return figure


def _common_view(labels: Sequence[np.ndarray], shape: tuple[int, int]) -> tuple[slice, slice]:
    """Return the rows and columns that hold all kidneys, with a margin; everything if there is none."""
    found = np.zeros(shape, bool)
    for part in labels:
        found |= part > 0
    if not found.any():
        return slice(0, shape[0]), slice(0, shape[1])
    return tuple(_widen(box, length) for box, length in zip(bounding_box(found), shape, strict=True))


def _widen(box: slice, length: int) -> slice:
    size = box.stop - box.start
    margin = max(int(np.ceil(size * MARGIN_SHARE)), (LEAST_PX - size + 1) // 2)
    return slice(max(0, box.start - margin), min(length, box.stop + margin))


def _wrap(text: str, characters: int) -> list[str]:
    """Break a text into lines of so many characters."""
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + 1 + len(word) <= characters:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _check(images: Sequence, rows: Mapping[str, Sequence], columns: Sequence[str]) -> None:
    counts = {"images": len(images)} | {title: len(row) for title, row in rows.items()}
    if not rows or not columns:
        raise InputError("figure of segmentations", "nothing to draw", "at least one slice", "Give a row.")
    for what, count in counts.items():
        if count != len(columns):
            found = f"{count} pictures for {what}"
            raise InputError("figure of segmentations", found, f"{len(columns)}, one a column", "Give them.")
