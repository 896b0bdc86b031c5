"""What was true beside what was predicted, in counts and shares."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

CELL_INCHES = 0.85
MARGIN_INCHES = (1.9, 1.5)


def draw_confusion(matrix: np.ndarray, labels: Sequence[str], *, title: str = "") -> Figure:
    """Draw a confusion matrix: counts in the cells, shaded by the share of their row.

    Parameters
    ----------
    matrix : ndarray of int or float, shape (labels, labels)
        Rows are true, columns predicted.
    labels : sequence of str
    title : str
    """
    side = CELL_INCHES * len(labels)
    figure = Figure(figsize=(side + MARGIN_INCHES[0], side + MARGIN_INCHES[1]), layout="constrained")
    fill_confusion(figure.add_subplot(), matrix, labels, title=title)
    return figure


def fill_confusion(axes: Axes, matrix: np.ndarray, labels: Sequence[str], *, title: str = "") -> None:
    """Draw a confusion matrix into `axes`; counts that are means over seeds have one decimal."""
    totals = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(matrix.shape):
        if matrix[row, column]:
            colour = "white" if shares[row, column] > 0.5 else "black"
            text = f"{_write(matrix[row, column])}\n{shares[row, column]:.0%}"
            axes.text(column, row, text, ha="center", va="center", color=colour)
    axes.set_xticks(range(len(labels)), labels)
    rows = [f"{label}\n(n = {_write(total)})" for label, total in zip(labels, totals[:, 0], strict=True)]
    axes.set_yticks(range(len(labels)), rows)
    axes.set(xlabel="predicted", ylabel="true", title=title)


def _write(count: float) -> str:
    # Means over seeds of a sum such as 2.9999999999999996 are whole.
    near = round(float(count), 6)
    return str(int(near)) if near.is_integer() else f"{near:.1f}"
