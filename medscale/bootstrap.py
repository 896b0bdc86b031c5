"""How sure a number is that was measured on few patients: the percentile bootstrap over whole patients."""

import numpy as np

from medscale.seeds import generator

LEVEL = 0.95
NO_INTERVAL = (float("nan"), float("nan"))


def draw_patients(patients: int, samples: int, seed: int, *names: str | int) -> np.ndarray | None:
    """Return how often each patient is drawn with replacement.

    A statistic that is a ratio of sums over patients is then two matrix products, and the same draws serve
    all methods that are compared.

    Parameters
    ----------
    patients, samples : int
    seed : int
        The run's seed; with `names` it fixes the draws.

    Returns
    -------
    ndarray of float64, shape (samples, patients), or None
        None for fewer than two patients, of which no draw differs.
    """
    if patients < 2:
        return None
    shares = np.full(patients, 1 / patients)
    rng = generator(seed, "bootstrap", *names)
    return rng.multinomial(patients, shares, size=samples).astype(float)


def percentile_interval(values: np.ndarray) -> tuple[float, float]:
    """Return the ends of the 95 % percentile interval of a statistic's values, shape (samples,)."""
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
