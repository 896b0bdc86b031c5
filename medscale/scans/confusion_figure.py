"""Confusion matrices of the classifier, one for each collection and way of dividing it."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from medscale.errors import InputError
from medscale.figures.confusion_matrix import CELL_INCHES, MARGIN_INCHES, fill_confusion
from medscale.scans.sheets import BY_GROUP

KEYS = ["collection", "divided_by"]
GUARD = {True: "copies in one split", False: "copies in several splits"}


def draw_confusions(confusion: pd.DataFrame) -> Figure:
    """Draw the matrices side by side: mean counts of test images, shaded by the share of their row.

    Parameters
    ----------
    confusion : DataFrame
        Of `tabulate_confusion`.

    Raises
    ------
    InputError
        If it is empty.
    """
    if confusion.empty:
        mend = "Give the table of tabulate_confusion."
        raise InputError("confusion of classes", "no row", "a matrix at least", mend)
    parts = list(confusion.groupby(KEYS, sort=False))
    classes = [list(dict.fromkeys(own["true"])) for _, own in parts]
    sides = [CELL_INCHES * len(labels) + MARGIN_INCHES[0] for labels in classes]
    height = CELL_INCHES * max(map(len, classes)) + MARGIN_INCHES[1]
    figure = Figure(figsize=(sum(sides), height), layout="constrained")
    panels = figure.subplots(1, len(parts), squeeze=False, width_ratios=sides)[0]
    for axes, ((collection, divided_by), own), labels in zip(panels, parts, classes, strict=True):
        matrix = own.pivot(index="true", columns="predicted", values="images").loc[labels, labels]
        title = f"{collection.replace('_', ' ')},\n{GUARD[divided_by == BY_GROUP]}"
        fill_confusion(axes, matrix.to_numpy(np.float64), labels, title=title)
        axes.title.set_fontsize(10)
    return figure
