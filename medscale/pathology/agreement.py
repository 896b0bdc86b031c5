"""How well two lists of ordered labels agree, and how sure that is with so few patients."""

from collections.abc import Callable, Sequence

import numpy as np

from medscale.errors import InputError
from medscale.pathology.staging import STAGES
from medscale.seeds import generator

# An interval says little when more resamples than this have no value.
UNDEFINED_SHARE = 0.05
LEVEL = 0.95


def quadratic_kappa(
    true: Sequence[str], predicted: Sequence[str], labels: Sequence[str] = STAGES
) -> float | None:
    """Return Cohen's kappa with quadratic weights over the labels in their order, as CAMELYON17 does.

    Equal to `sklearn.metrics.cohen_kappa_score(true, predicted, labels=labels, weights="quadratic")`
    after lower-casing. Without `labels=` scikit-learn sorts by name, puts pN1 before pN1mi and gives
    another number. Source: the challenge's `evaluate.py`.

    Parameters
    ----------
    true, predicted : sequence of str, one entry a patient
    labels : sequence of str
        All labels from the least to the most severe.

    Returns
    -------
    float or None
        In [-1, 1]; None where kappa is undefined, 0/0: when no patient is given, or when both lists hold
        one and the same label throughout.

    Raises
    ------
    InputError
        If a label is unknown or the lists differ in length.
    """
    kappas = kappa_of_counts(count_confusion(true, predicted, labels)[None].astype(np.float64))
    return None if np.isnan(kappas[0]) else float(kappas[0])


def count_confusion(true: Sequence[str], predicted: Sequence[str], labels: Sequence[str]) -> np.ndarray:
    """Return counts, int64, shape (labels, labels): rows are true, columns predicted.

    Raises
    ------
    InputError
        If a label is unknown (capitals do not matter) or the lists differ in length.
    """
    if len(true) != len(predicted):
        raise InputError(
            "true and predicted labels",
            f"{len(true)} and {len(predicted)}",
            "as many of each",
            "Give one label of each for every item.",
        )
    places = {name.lower(): place for place, name in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)), np.int64)
    for pair in zip(true, predicted, strict=True):
        unknown = [name for name in pair if str(name).lower() not in places]
        if unknown:
            raise InputError(
                "true and predicted labels",
                f"the label {unknown[0]!r}",
                f"one of {', '.join(labels)}",
                "Correct it.",
            )
        counts[places[pair[0].lower()], places[pair[1].lower()]] += 1
    return counts


def kappa_of_counts(counts: np.ndarray) -> np.ndarray:
    """Return the quadratic kappa of many confusion matrices at once.

    Parameters
    ----------
    counts : ndarray, float64, shape (matrices, labels, labels)

    Returns
    -------
    ndarray, float64, shape (matrices,)
        NaN where kappa is undefined.
    """
    steps = np.arange(counts.shape[-1])
    weights = (steps[:, None] - steps[None, :]) ** 2.0
    totals = counts.sum(axis=(1, 2))
    observed = (counts * weights).sum(axis=(1, 2))
    expected = np.einsum("mi,ij,mj->m", counts.sum(axis=2), weights, counts.sum(axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected > 0, 1.0 - observed * totals / expected, np.nan)


def bootstrap_interval(
    statistic: Callable[[np.ndarray], np.ndarray], units: int, *, resamples: int, seed: int, name: str
) -> tuple[float | None, float | None]:
    """Return the 95 % percentile bootstrap interval of a statistic over independent units (patients).

    A percentile interval has no width when all units agree: that is a small sample, not certainty.

    Parameters
    ----------
    statistic : callable
        Takes weights, float64, shape (resamples, units), how often each unit was drawn, and returns one
        value each, float64, shape (resamples,), NaN where undefined.
    units : int
    resamples : int
    seed : int
        The run's seed; with `name` it fixes the draws.
    name : str

    Returns
    -------
    low, high : float or None
        None with fewer than 2 units, or when the statistic is undefined in more than 5 % of the resamples.
        Fewer undefined resamples are left out.
    """
    if units < 2:
        return None, None
    shares = np.full(units, 1.0 / units)
    weights = generator(seed, "bootstrap", name).multinomial(units, shares, size=resamples)
    values = statistic(weights.astype(np.float64))
    defined = values[~np.isnan(values)]
    if len(defined) < (1 - UNDEFINED_SHARE) * resamples:
        return None, None
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def bootstrap_kappa(
    true: Sequence[str], predicted: Sequence[str], *, resamples: int, seed: int, name: str = "kappa"
) -> tuple[float | None, float | None]:
    """Return the bootstrap interval of `quadratic_kappa` over patients."""
    size = len(STAGES)
    cells = [count_confusion([a], [b], STAGES).ravel() for a, b in zip(true, predicted, strict=True)]
    cells = np.array(cells, np.float64).reshape(-1, size * size)
    return bootstrap_interval(
        lambda weights: kappa_of_counts((weights @ cells).reshape(-1, size, size)),
        len(cells),
        resamples=resamples,
        seed=seed,
        name=name,
    )


def bootstrap_share(
    hits: np.ndarray, clusters: Sequence[str], *, resamples: int, seed: int, name: str
) -> tuple[float | None, float | None]:
    """Return the bootstrap interval of the share of hits, drawing whole clusters (a patient's slides).

    Parameters
    ----------
    hits : ndarray, bool, shape (items,)
    clusters : sequence of str, shape (items,)
    """
    names, owner = np.unique(np.asarray(clusters, object).astype(str), return_inverse=True)
    hit = np.bincount(owner, weights=np.asarray(hits, np.float64), minlength=len(names))
    size = np.bincount(owner, minlength=len(names)).astype(np.float64)
    return bootstrap_interval(
        lambda weights: (weights @ hit) / (weights @ size),
        len(names),
        resamples=resamples,
        seed=seed,
        name=name,
    )
