"""How often each true class was given each label: the nine counts that all overlap scores follow from."""

import numpy as np

from medscale.kits19.cases import CLASSES

COUNTS = len(CLASSES)
COLUMNS = [f"voxels_{true}_as_{called}" for true in CLASSES for called in CLASSES]


def count_confusion(truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Count the voxels of each pair of labels.

    Parameters
    ----------
    truth, prediction : ndarray of uint8, shape (slices, rows, columns)
        Labels 0, 1 and 2.

    Returns
    -------
    ndarray of int64, shape (3, 3)
        Rows are true, columns predicted.

    Raises
    ------
    ValueError
        If the shapes differ or a label is none of the three.
    """
    if truth.shape != prediction.shape:
        raise ValueError(f"labels of the shapes {truth.shape} and {prediction.shape}")
    counts = np.zeros(COUNTS * COUNTS, np.int64)
    # Slice by slice, because counting takes eight bytes a voxel.
    for true, called in zip(truth, prediction, strict=True):
        if max(true.max(initial=0), called.max(initial=0)) >= COUNTS:
            raise ValueError(f"a label above {COUNTS - 1}")
        pairs = COUNTS * true.astype(np.uint8) + called.astype(np.uint8)
        counts += np.bincount(pairs.ravel(), minlength=COUNTS * COUNTS)
    return counts.reshape(COUNTS, COUNTS)
