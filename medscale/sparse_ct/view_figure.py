"""CT pictures side by side: few views against many, or what each training made of the same slice."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medscale.errors import InputError

CELL_INCHES, LINE_INCHES = 2.0, 0.3


def draw_image_rows(
    rows: Mapping[str, Sequence[np.ndarray | None]],
    columns: Sequence[str],
    window_hu: tuple[float, float],
    scores: Mapping[str, Sequence[float | None]] | None = None,
) -> Figure:
    """Draw a grid of CT pictures in one grey window, as in Figures 3.2, 3.12 and 3.13 of the thesis.

    Parameters
    ----------
    rows : mapping of str to sequence of ndarray, shape (rows, columns), or None
        Title and pictures in HU of each row; None leaves a place empty.
    columns : sequence of str
        Titles of the columns.
    window_hu : (low, high)
        HU that are drawn black and white.
    scores : mapping of str to sequence of float or None, optional
        PSNR in dB to write beneath the pictures of a row; None writes nothing.

    Raises
    ------
    InputError
        If there is no row, or a row has not one picture, or not one score, for each column.
    """
    scores = scores or {}
    _check(rows, columns, scores)
    tall = CELL_INCHES + (LINE_INCHES if scores else 0)
    size = (CELL_INCHES * len(columns) + LINE_INCHES, tall * len(rows) + 2 * LINE_INCHES)
    figure = Figure(figsize=size, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0, hspace=0)
    grid = figure.subplots(len(rows), len(columns), squeeze=False)
    for line, (title, pictures) in zip(grid, rows.items(), strict=True):
        line[0].set_ylabel(title)
        beneath = scores.get(title, [None] * len(columns))
        for axes, picture, score in zip(line, pictures, beneath, strict=True):
            _draw_picture(axes, picture, window_hu, score)
    for axes, title in zip(grid[0], columns, strict=True):
        axes.set_title(title, fontsize=11)
    figure.supxlabel(f"grey window {window_hu[0]:g} to {window_hu[1]:g} HU", fontsize=9)
    return figure


def _draw_picture(
    axes: Axes, picture: np.ndarray | None, window_hu: tuple[float, float], score: float | None
) -> None:
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    if picture is not None:
        axes.imshow(picture, cmap="gray", vmin=window_hu[0], vmax=window_hu[1])
    if score is not None and not np.isnan(score):
        axes.set_xlabel(f"{score:.2f} dB", fontsize=9, labelpad=2)


def _check(rows: Mapping, columns: Sequence[str], scores: Mapping) -> None:
    if not rows or not columns:
        raise InputError("figure of CT pictures", "nothing to draw", "at least one picture", "Give a row.")
    unknown = [title for title in scores if title not in rows]
    if unknown:
        raise InputError(
            "figure of CT pictures", f"scores of {unknown[0]!r}", "scores of its rows", "Use a row's title."
        )
    for what, lines in (("pictures", rows), ("scores", scores)):
        for title, line in lines.items():
            if len(line) != len(columns):
                raise InputError(
                    "figure of CT pictures",
                    f"{len(line)} {what} in the row {title!r}",
                    f"{len(columns)}, one for each column",
                    "Give None where there is none.",
                )
