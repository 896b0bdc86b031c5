"""The fixed window between Hounsfield units and the numbers from 0 to 1 that networks and scores use."""

import numpy as np


def normalise(hu: np.ndarray, window_hu: tuple[float, float]) -> np.ndarray:
    """Return `hu` scaled to [0, 1] in its own precision; what lies outside the window is clipped."""
    low, high = window_hu
    return np.clip((hu - low) / (high - low), 0, 1)


def to_hu(values: np.ndarray, window_hu: tuple[float, float]) -> np.ndarray:
    """Return the Hounsfield units of normalised values."""
    low, high = window_hu
    return (values * (high - low) + low).astype(np.float32)
