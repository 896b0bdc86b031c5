"""The random forest that reads the class of a slide from the features of its heatmap."""

import logging
from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

from medscale.errors import InputError
from medscale.pathology.staging import CLASSES
from medscale.seeds import derive_seed, generator

PROBABILITIES = [f"p_{name}" for name in CLASSES]
COLUMNS = ["slide", "patient", "split", *PROBABILITIES, "predicted", "true", "prediction"]
FEWEST_CLASSES = 2
# Sums over trees differ in their last bits; a tie must stay one, and the table's digits must show it.
DECIMALS = 9

log = logging.getLogger(__name__)


def train_forest(
    features: pd.DataFrame, labels: pd.Series, *, trees: int, seed: int
) -> RandomForestClassifier:
    """Fit a random forest in which every class weighs the same, however rare (Lee & Paeng 2018).

    Parameters
    ----------
    features : DataFrame, shape (slides, features)
        Numbers only. The order of rows matters, that of the classes does not.
    labels : Series of str, shape (slides,)
    trees : int
    seed : int
        The run's seed; the same input and seed give the same forest.
    """
    forest = RandomForestClassifier(
        n_estimators=trees,
        class_weight="balanced_subsample",
        random_state=derive_seed(seed, "slide forest") % 2**32,
        n_jobs=1,
    )
    return forest.fit(features.to_numpy(np.float64), labels.to_numpy(object).astype(str))


def classify_slides(
    features: pd.DataFrame, sheet: pd.DataFrame, *, trees: int, folds: int, seed: int
) -> tuple[pd.DataFrame, RandomForestClassifier]:
    """Classify every slide of the sheet, none by a forest that has seen its patient.

    The forest learns from the labelled slides of the split `train_staging` alone: on slides that the
    network trained on, heatmaps are better than they will ever be again. The patients it learned from get
    their predictions from forests fitted to the other folds; folds divide patients, evenly by the worst
    class of each. The column `prediction` says where a row comes from:

    - `out_of_fold`: from the forest of the other folds;
    - `held_out`: from the final forest, which has not seen the patient;
    - `network_trained_on_patient`: from the final forest, but on a heatmap of a network that has seen the
      patient. It looks better than it is;
    - `none`: the forest learned from one patient only, and this is the one. All four probabilities are
      1/4 and the class is `negative`: in-sample numbers would be a lie.

    A class that no training slide has gets probability 0 and a warning. Of equally probable classes the
    less severe one is predicted, as the TNM rules choose the lower category in doubt.

    Parameters
    ----------
    features : DataFrame
        `slide` and columns of finite numbers.
    sheet : DataFrame
        `slide`, `patient`, `split`, `label`; an empty label means unknown.
    trees : int
    folds : int
        At least 2; at most one for each patient is used.
    seed : int

    Returns
    -------
    slide_classes : DataFrame
        `slide, patient, split, p_negative, p_itc, p_micro, p_macro, predicted, true, prediction`, sorted by
        slide; `true` is empty where unknown.
    forest : RandomForestClassifier
        The final forest, fitted to all labelled `train_staging` slides.

    Raises
    ------
    InputError
        If features and sheet do not hold the same slides, a number is not finite, a label is unknown, or
        there are fewer training slides than classes or fewer than two classes among them.
    """
    if folds < 2:
        raise InputError("folds", str(folds), "at least 2", "Correct it in the config.")
    table, columns = _join(features, sheet)
    learned = (table["split"] == "train_staging") & (table["true"] != "")
    _check_training(table[learned])
    forest = train_forest(table.loc[learned, columns], table.loc[learned, "true"], trees=trees, seed=seed)
    table[PROBABILITIES] = _predict(forest, table[columns])
    table["prediction"] = np.where(
        table["split"] == "train_network", "network_trained_on_patient", "held_out"
    ).astype(object)
    _predict_out_of_fold(table, columns, learned, trees=trees, folds=folds, seed=seed)
    table["predicted"] = [CLASSES[best] for best in table[PROBABILITIES].to_numpy().argmax(axis=1)]
    return table[COLUMNS], forest


def _join(features: pd.DataFrame, sheet: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return sheet and features side by side, sorted by slide, and the names of the features."""
    _check_slides(features, sheet)
    own = {name: sheet[name].astype(object) for name in ("slide", "patient", "split")}
    own["true"] = sheet["label"].fillna("").astype(object)
    columns = [name for name in features.columns if name != "slide"]
    joined = pd.DataFrame(own).merge(features, on="slide", validate="one_to_one")
    joined = joined.sort_values("slide", ignore_index=True)
    _check_values(joined, columns)
    return joined, columns


def _check_slides(features: pd.DataFrame, sheet: pd.DataFrame) -> None:
    for name, frame in (("features", features), ("slide sheet", sheet)):
        repeated = frame.loc[frame["slide"].duplicated(), "slide"]
        if len(repeated):
            found = f"slide {repeated.iloc[0]} twice"
            raise InputError(name, found, "each slide once", "Delete one of its rows.")
    strangers = sorted(set(features["slide"]) ^ set(sheet["slide"]))
    if strangers:
        where = "features" if strangers[0] in set(sheet["slide"]) else "slide sheet"
        found = f"no row for slide {strangers[0]}"
        raise InputError(where, found, "a row for each slide", "Run its rule again.")


def _check_values(joined: pd.DataFrame, columns: list[str]) -> None:
    infinite = joined.loc[~np.isfinite(joined[columns].to_numpy(np.float64)).all(axis=1), "slide"]
    if len(infinite):
        where = f"features of {infinite.iloc[0]}"
        raise InputError(where, "a number that is not finite", "numbers", "Extract them again.")
    unknown = joined[~joined["true"].isin(["", *CLASSES])]
    if len(unknown):
        where, found = (
            f"slide sheet, slide {unknown['slide'].iloc[0]}",
            f"the label {unknown['true'].iloc[0]!r}",
        )
        raise InputError(where, found, f"one of {', '.join(CLASSES)}, or none", "Correct the label.")


def _check_training(learned: pd.DataFrame) -> None:
    """Refuse a training set from which nothing can be learned; warn of classes it lacks."""
    present = [name for name in CLASSES if (learned["true"] == name).any()]
    if len(learned) < len(CLASSES) or len(present) < FEWEST_CLASSES:
        raise InputError(
            "slide sheet",
            f"{len(learned)} labelled slides of {len(present)} classes in the split train_staging",
            f"at least {len(CLASSES)} slides and {FEWEST_CLASSES} classes",
            "Move more labelled patients into train_staging.",
        )
    missing = [name for name in CLASSES if name not in present]
    if missing:
        log.warning(
            "no slide of train_staging is %s: the forest cannot predict it and gives it probability 0",
            " or ".join(missing),
        )


def _predict(forest: RandomForestClassifier, features: pd.DataFrame) -> np.ndarray:
    """Return probabilities, shape (slides, 4), in the order of `CLASSES`."""
    probabilities = np.zeros((len(features), len(CLASSES)))
    columns = [CLASSES.index(name) for name in forest.classes_]
    probabilities[:, columns] = forest.predict_proba(features.to_numpy(np.float64))
    return probabilities.round(DECIMALS)


def _predict_out_of_fold(
    table: pd.DataFrame, columns: list[str], learned: pd.Series, *, trees: int, folds: int, seed: int
) -> None:
    """Replace, in `table`, the predictions of the patients the final forest learned from."""
    patients = table.loc[learned].groupby("patient")["true"].agg(lambda names: max(map(CLASSES.index, names)))
    if len(patients) == 1:
        log.warning(
            "only %s is labelled in train_staging: its slides cannot be predicted out of fold",
            patients.index[0],
        )
        own = (table["patient"] == patients.index[0]).to_numpy()
        table.loc[own, PROBABILITIES] = 1 / len(CLASSES)
        table.loc[own, "prediction"] = "none"
        return
    for fold, held in enumerate(_divide_patients(patients, folds, seed)):
        own = table["patient"].isin(held)
        others = table[learned & ~own]
        missing = sorted(set(table.loc[learned, "true"]) - set(others["true"]), key=CLASSES.index)
        if missing:
            log.warning(
                "out of fold, %s cannot be %s: no other patient is", ", ".join(held), " or ".join(missing)
            )
        forest = train_forest(
            others[columns], others["true"], trees=trees, seed=derive_seed(seed, "fold", fold)
        )
        table.loc[own, PROBABILITIES] = _predict(forest, table.loc[own, columns])
        table.loc[own, "prediction"] = "out_of_fold"


def _divide_patients(patients: pd.Series, folds: int, seed: int) -> Iterator[list[str]]:
    """Yield the patients of each fold, dealt out in turn from the worst class down."""
    shuffled = patients.iloc[generator(seed, "staging folds").permutation(len(patients))]
    dealt = shuffled.sort_values(ascending=False, kind="stable").index
    folds = min(folds, len(dealt))
    for fold in range(folds):
        yield list(dealt[fold::folds])
