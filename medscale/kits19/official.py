"""The two scores that KiTS19 ranks by.

Source: `evaluate` in `starter_code/evaluation.py` of neheller/kits19, with the empty case defined.
"""

import numpy as np

from medscale.errors import InputError


def official_scores(truth: np.ndarray, prediction: np.ndarray) -> tuple[float, float]:
    """Return Dice of kidney with tumour, and Dice of the tumour.

    KiTS19's script gives NaN for a region that is in neither volume; here it scores 1.

    Parameters
    ----------
    truth : ndarray, shape (slices, rows, columns)
        Labels 0, 1 and 2.
    prediction : ndarray, shape (slices, rows, columns) or (slices, rows, columns, classes)
        Labels, of which fractions are rounded; or a value for each class, of which the largest counts.

    Raises
    ------
    InputError
        If the shapes differ, or a prediction is NaN: the script would read it as background.
    """
    prediction = _to_labels(prediction)
    if prediction.shape != truth.shape:
        raise _refuse(f"the shape {prediction.shape}", f"that of the segmentation, {truth.shape}")
    return tuple(_dice(truth > label, prediction > label) for label in (0, 1))


def _to_labels(prediction: np.ndarray) -> np.ndarray:
    if np.issubdtype(prediction.dtype, np.floating) and np.isnan(prediction).any():
        raise _refuse("NaN", "labels or a value for each class")
    if prediction.ndim == 4:
        prediction = prediction.argmax(axis=-1)
    return np.round(prediction).astype(np.uint8)


def _dice(truth: np.ndarray, prediction: np.ndarray) -> float:
    size = int(truth.sum()) + int(prediction.sum())
    return 2 * int((truth & prediction).sum()) / size if size else 1.0


def _refuse(found: str, expected: str) -> InputError:
    mend = "Put the prediction back on the grid of the case's imaging.nii.gz."
    return InputError("a prediction", found, expected, mend)
