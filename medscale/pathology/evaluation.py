"""The study's metrics: each with its interval, its count and the floor of a predictor that knows nothing."""

import re
from collections.abc import Sequence

import pandas as pd

from medscale.pathology.agreement import bootstrap_kappa, bootstrap_share, quadratic_kappa
from medscale.pathology.confusion import judge_patients, judge_slides
from medscale.pathology.patch_auc import patch_auc
from medscale.pathology.staging import CLASSES, STAGES, stage_patient

Metrics = dict[str, float | int | None]

AUC_FLOOR = 0.5
COMPANIONS = {"low": "_low", "high": "_high", "floor": "_floor"}
# Name of a metric after its split, the key that counts what it was measured on, and what it is.
MEANINGS = (
    (
        r"kappa",
        "patients",
        "quadratic weighted kappa of the pN stages; floor: the commonest training stage for all",
    ),
    (
        r"stage_accuracy",
        "patients",
        "share of patients with the right pN stage; floor: the commonest training stage",
    ),
    (
        r"slide_accuracy",
        "slides",
        "share of slides with the right class; floor: the commonest training class",
    ),
    (
        r"recall_(\w+)",
        r"count_\1",
        "share of the slides of this class that were found; floor: the commonest class",
    ),
    (r"patch_auc", "patches", "area under the ROC curve over patches; floor: chance"),
    (
        r"patch_auc_colour_threshold",
        "patches",
        "the same of a colour threshold, which the network has to beat; floor: chance",
    ),
    (r"jaccard_(.+)_best_threshold", None, "upper bound: the threshold was chosen on this slide"),
    (r"jaccard_(.+)", None, "overlap with the annotation; floor: all tissue called tumour"),
)


def evaluate(
    slide_classes: pd.DataFrame,
    *,
    resamples: int,
    seed: int,
    patches: pd.DataFrame | None = None,
    colour_patches: pd.DataFrame | None = None,
    jaccards: pd.DataFrame | None = None,
) -> Metrics:
    """Measure the whole study in flat numbers.

    Every metric `m` may have companions: `m_low` and `m_high`, a 95 % bootstrap interval that draws
    patients, and `m_floor`, what a predictor reaches that knows nothing but the commonest label of
    `train_staging`. A number that cannot be had is None, and the count beside it says why.

    Parameters
    ----------
    slide_classes : DataFrame
        As `classify_slides` returns it.
    resamples : int
        Bootstrap draws.
    seed : int
    patches, colour_patches : DataFrame, optional
        Patches of `test` slides with the score of the network and of a colour threshold: `slide`,
        `patient`, `label` (0/1), `score`.
    jaccards : DataFrame, optional
        `slide`, `split`, `jaccard`, `jaccard_best_threshold`, `jaccard_floor` of the annotated slides.

    Returns
    -------
    dict of str to float, int or None
        `test_…` on the held-out patients; `train_staging_…` on their out-of-fold predictions;
        `{split}_jaccard_{slide}` for each annotated slide.
    """
    metrics: Metrics = {}
    for split in ("test", "train_staging"):
        metrics |= _measure_stages(slide_classes, split, resamples, seed)
        metrics |= _measure_slides(slide_classes, split, resamples, seed)
    metrics |= _measure_patches(patches, "test_patch_auc", resamples, seed)
    metrics |= _measure_patches(colour_patches, "test_patch_auc_colour_threshold", resamples, seed)
    metrics["test_patches"] = 0 if patches is None else len(patches)
    return metrics | _list_jaccards(jaccards)


def describe(metrics: Metrics) -> pd.DataFrame:
    """Return the metrics as a table to read.

    Returns
    -------
    DataFrame
        `metric`, `value`, `low`, `high`, `floor` (float, NaN where there is none), `n` (integer or missing)
        and `what_it_is`; one row for each metric of `evaluate`, in its order, companions as columns.
    """
    companions = {f"{name}{ending}" for name in metrics for ending in COMPANIONS.values()}
    rows = []
    for name, value in metrics.items():
        counted, meaning = _explain(name)
        if name in companions or meaning is None:
            continue
        ends = {column: metrics.get(f"{name}{ending}") for column, ending in COMPANIONS.items()}
        rows.append(
            {"metric": name, "value": value, **ends, "n": metrics.get(counted), "what_it_is": meaning}
        )
    table = pd.DataFrame(rows, columns=["metric", "value", *COMPANIONS, "n", "what_it_is"])
    numbers = dict.fromkeys(["value", *COMPANIONS], "float64")
    return table.astype({**numbers, "n": "Int64"})


def _measure_stages(slide_classes: pd.DataFrame, split: str, resamples: int, seed: int) -> Metrics:
    judged = judge_patients(slide_classes, split)
    true, predicted = list(judged["true"]), list(judged["predicted"])
    training = slide_classes[(slide_classes["split"] == "train_staging")].assign(true=_known)
    stages = [
        stage_patient(list(own["true"]))
        for _, own in training.groupby("patient")
        if (own["true"] != "").all()
    ]
    guess = _commonest(stages, STAGES)
    floor = None if guess is None else quadratic_kappa(true, [guess] * len(true))
    low, high = bootstrap_kappa(true, predicted, resamples=resamples, seed=seed, name=f"{split} kappa")
    return {
        f"{split}_patients": len(judged),
        f"{split}_kappa": quadratic_kappa(true, predicted),
        f"{split}_kappa_low": low,
        f"{split}_kappa_high": high,
        f"{split}_kappa_floor": floor,
        **_measure_accuracy(judged, guess, f"{split}_stage_accuracy", resamples, seed),
    }


def _measure_slides(slide_classes: pd.DataFrame, split: str, resamples: int, seed: int) -> Metrics:
    judged = judge_slides(slide_classes, split)
    known = _known(slide_classes[slide_classes["split"] == "train_staging"])
    guess = _commonest([name for name in known if name], CLASSES)
    metrics: Metrics = {
        f"{split}_slides": len(judged),
        **_measure_accuracy(judged, guess, f"{split}_slide_accuracy", resamples, seed),
    }
    for name in CLASSES:
        own = judged[judged["true"] == name]
        metrics[f"{split}_recall_{name}"] = float((own["predicted"] == name).mean()) if len(own) else None
        metrics[f"{split}_recall_{name}_floor"] = None if guess is None or own.empty else float(guess == name)
        metrics[f"{split}_count_{name}"] = len(own)
    return metrics


def _measure_accuracy(
    judged: pd.DataFrame, guess: str | None, name: str, resamples: int, seed: int
) -> Metrics:
    """Return the share of right predictions; patients are drawn whole for its interval."""
    if judged.empty:
        return dict.fromkeys([name, f"{name}_low", f"{name}_high", f"{name}_floor"])
    hits = (judged["true"] == judged["predicted"]).to_numpy()
    low, high = bootstrap_share(hits, list(judged["patient"]), resamples=resamples, seed=seed, name=name)
    floor = None if guess is None else float((judged["true"] == guess).mean())
    return {name: float(hits.mean()), f"{name}_low": low, f"{name}_high": high, f"{name}_floor": floor}


def _measure_patches(patches: pd.DataFrame | None, name: str, resamples: int, seed: int) -> Metrics:
    missing = patches is None or patches.empty
    auc, low, high = (None, None, None) if missing else patch_auc(patches, resamples=resamples, seed=seed)
    floor = None if auc is None else AUC_FLOOR
    return {name: auc, f"{name}_low": low, f"{name}_high": high, f"{name}_floor": floor}


def _list_jaccards(jaccards: pd.DataFrame | None) -> Metrics:
    metrics: Metrics = {}
    rows = [] if jaccards is None else jaccards.sort_values("slide").to_dict("records")
    for row in rows:
        name = f"{row['split']}_jaccard_{row['slide']}"
        metrics[name] = _number(row["jaccard"])
        metrics[f"{name}_floor"] = _number(row["jaccard_floor"])
        metrics[f"{name}_best_threshold"] = _number(row["jaccard_best_threshold"])
    return metrics


def _explain(name: str) -> tuple[str | None, str | None]:
    """Return the key of the metric's count and what the metric is; None for what is no metric."""
    split = next(
        (split for split in ("test", "train_staging", "train_network") if name.startswith(f"{split}_")), ""
    )
    rest = name.removeprefix(f"{split}_")
    for pattern, counted, meaning in MEANINGS:
        match = re.fullmatch(pattern, rest)
        if match:
            return (f"{split}_{match.expand(counted)}" if counted else None), meaning
    return None, None


def _commonest(names: Sequence[str], order: Sequence[str]) -> str | None:
    """Return the most frequent of `names`, the less severe of equals."""
    return max(order, key=lambda name: list(names).count(name)) if len(names) else None


def _known(rows: pd.DataFrame) -> pd.Series:
    return rows["true"].fillna("")


def _number(value: float | None) -> float | None:
    return None if value is None or pd.isna(value) else float(value)
