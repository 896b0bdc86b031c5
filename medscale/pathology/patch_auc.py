"""Area under the ROC curve over patches, with an interval over patients."""

import numpy as np
import pandas as pd

from medscale.errors import InputError
from medscale.pathology.agreement import bootstrap_interval


def patch_auc(
    patches: pd.DataFrame, *, resamples: int, seed: int
) -> tuple[float | None, float | None, float | None]:
    """Return the patch AUC and its 95 % bootstrap interval over patients.

    Patches of one patient are far from independent, so whole patients are drawn. The number of tumour
    patches of one patient that score above the normal patches of another is counted once for every pair
    of patients; a resample then needs only these counts, and is exact.

    Parameters
    ----------
    patches : DataFrame
        `patient`, `label` (0 normal, 1 tumour), `score` (higher means tumour); further columns are ignored.
    resamples, seed : int
        As in `bootstrap_interval`.

    Returns
    -------
    auc, low, high : float or None
        `auc` is None without patches of both labels; ties in score count one half.

    Raises
    ------
    InputError
        If a score is not finite or a label is neither 0 nor 1.
    """
    _check_patches(patches)
    if patches["label"].nunique() < 2:
        return None, None, None
    wins, tumour, normal = _count_wins(patches)

    def auc(weights: np.ndarray) -> np.ndarray:
        pairs = (weights @ tumour) * (weights @ normal)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(
                pairs > 0, np.einsum("rp,pq,rq->r", weights, wins, weights, optimize=True) / pairs, np.nan
            )

    value = float(auc(np.ones((1, len(wins))))[0])
    return value, *bootstrap_interval(auc, len(wins), resamples=resamples, seed=seed, name="patch auc")


def _count_wins(patches: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return wins (patients, patients): tumour patches of the row over normal patches of the column, and
    the numbers of tumour and normal patches of each patient."""
    names, owner = np.unique(patches["patient"].astype(str).to_numpy(object), return_inverse=True)
    scores, is_tumour = patches["score"].to_numpy(np.float64), patches["label"].to_numpy() == 1
    order = np.argsort(scores[is_tumour], kind="stable")
    positives, positive_owner = scores[is_tumour][order], owner[is_tumour][order]
    wins = np.zeros((len(names), len(names)))
    for column in range(len(names)):
        negatives = np.sort(scores[~is_tumour & (owner == column)])
        below = np.searchsorted(negatives, positives, "left") + np.searchsorted(negatives, positives, "right")
        wins[:, column] = np.bincount(positive_owner, weights=below / 2.0, minlength=len(names))
    tumour = np.bincount(owner[is_tumour], minlength=len(names)).astype(np.float64)
    normal = np.bincount(owner[~is_tumour], minlength=len(names)).astype(np.float64)
    return wins, tumour, normal


def _check_patches(patches: pd.DataFrame) -> None:
    labels = set(patches["label"].unique()) - {0, 1}
    if labels:
        raise InputError("patch labels", str(sorted(labels)), "0 and 1", "Make the patch tables again.")
    if not np.isfinite(patches["score"].to_numpy(np.float64)).all():
        raise InputError("patch scores", "a score that is not finite", "numbers", "Score the patches again.")


def split_scores(scores: pd.DataFrame, slide_classes: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the scores of the network and of the colour threshold: slide, patient, label, score."""
    owners = slide_classes.set_index("slide")["patient"]
    known = scores[["slide", "label"]].assign(patient=scores["slide"].map(owners))
    return known.assign(score=scores["probability"]), known.assign(score=scores["colour_score"])
