"""What a classifier says about the images of a sheet, as a table; the same for networks and other methods."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

SHEET_COLUMNS = ["image", "group", "split", "class"]


def tabulate_predictions(
    sheet: pd.DataFrame, classes: Sequence[str], probabilities: np.ndarray
) -> pd.DataFrame:
    """Return the class that is predicted for each image, and the probabilities of all classes.

    Parameters
    ----------
    sheet : DataFrame
        Scan sheet, or some of its rows.
    classes : sequence of str
    probabilities : ndarray, shape (len(sheet), len(classes))

    Returns
    -------
    DataFrame
        image, group, split, class (of the sheet, in its order), predicted (the most probable class; the
        first of equal ones), and for each class its probability p_{class}.
    """
    table = sheet[SHEET_COLUMNS].reset_index(drop=True)
    table["predicted"] = np.array(classes, dtype=object)[probabilities.argmax(axis=1)]
    for label, values in zip(classes, probabilities.T, strict=True):
        table[f"p_{label}"] = values
    return table


def find_emptied(predictions: pd.DataFrame, without_tumour: Sequence[str]) -> list[str]:
    """Return the images whose predicted class is one without tumour, in the order of the table.

    Their outlines are emptied by the report's aid (section 4, part 3).
    """
    return predictions.loc[predictions["predicted"].isin(without_tumour), "image"].tolist()
