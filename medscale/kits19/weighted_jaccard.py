"""The thesis's headline score: the Jaccard index with a weight for each class, pooled over cases.

It counts background, too, and the training's weights make a voxel of tumour worth many of background. On
test cases, of which most slices show background alone, it is high for predictors that find nothing: read it
beside its floors.
"""

import numpy as np

SMOOTHING = 1e-6


def weighted_jaccard(confusion: np.ndarray, class_weights: np.ndarray) -> np.ndarray:
    """Return TP / (TP + FN + FP), each a sum over voxels and classes in which a class counts by its weight.

    The thesis averages it over batches of softmax outputs; here labels are compared, and all voxels of all
    cases are pooled.

    Parameters
    ----------
    confusion : ndarray, shape (..., 3, 3)
        Counts of one or more sets of cases: rows are true, columns predicted.
    class_weights : ndarray, shape (3,)
        Of background, kidney and tumour, as they were trained with.

    Returns
    -------
    ndarray of float64, shape (...)

    Notes
    -----
    Source: `loss_function.py` of HypnoOcio/kits19, `weighted_jaccard` with its smoothing of 1e-6.
    """
    weights = np.asarray(class_weights, float)
    hit = np.diagonal(confusion, axis1=-2, axis2=-1) @ weights
    missed = confusion.sum(axis=-1) @ weights - hit
    wrong = confusion.sum(axis=-2) @ weights - hit
    return (hit + SMOOTHING) / (hit + missed + wrong + SMOOTHING)
