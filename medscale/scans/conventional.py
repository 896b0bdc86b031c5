"""Methods that learn from hand-made features, which the lecture says may win where data are few."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from medscale.errors import InputError
from medscale.scans.handmade_features import describe_image
from medscale.scans.predictions import tabulate_predictions
from medscale.scans.prepared_images import PreparedImages
from medscale.scans.sheets import list_classes
from medscale.scans.subsets import draw_share
from medscale.seeds import derive_seed

TREES, MOST_STEPS = 200, 10_000
# What scikit-learn takes for a random state.
STATES = 2**32


@dataclass(frozen=True)
class Features:
    """Hand-made features of images.

    Attributes
    ----------
    images : tuple of str
    names : tuple of str
        Of the features.
    values : ndarray of float64, shape (images, features)
    """

    images: tuple[str, ...]
    names: tuple[str, ...]
    values: np.ndarray

    def pick(self, images: pd.Series) -> np.ndarray:
        """Return the features of these images, in this order.

        Raises
        ------
        InputError
            For an image without features.
        """
        rows = pd.Index(self.images).get_indexer(list(images))
        if (rows < 0).any():
            lacking = list(images)[int(np.argmin(rows))]
            mend = "Prepare the images of this sheet."
            raise InputError(f"image {lacking}", "no prepared image", "one for each line of the sheet", mend)
        return self.values[rows]


def _build_regression(state: int) -> ClassifierMixin:
    return make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=MOST_STEPS))


def _build_forest(state: int) -> ClassifierMixin:
    # One process, because the workflow decides how many cores a job has.
    return RandomForestClassifier(TREES, random_state=state, n_jobs=1)


def _build_machine(state: int) -> ClassifierMixin:
    return make_pipeline(StandardScaler(), SVC(C=1.0, kernel="rbf", gamma="scale"))


# Settings are scikit-learn's usual ones: nothing is tuned, as nothing is for the networks. Only the forest
# draws random numbers; the seeds of the others differ in the share of the images that they learn from.
CONVENTIONAL: dict[str, Callable[[int], ClassifierMixin]] = {
    "logistic_regression": _build_regression,
    "random_forest": _build_forest,
    "svm": _build_machine,
}


def extract_features(images: PreparedImages) -> Features:
    """Return the hand-made features of prepared images; see `describe_image`."""
    rows = [describe_image(image) for image in images.images]
    names = tuple(rows[0]) if rows else ()
    values = np.array([[row[name] for name in names] for row in rows], float).reshape(len(rows), len(names))
    return Features(images.names, names, values)


def classify_conventionally(
    images: PreparedImages | Features, sheet: pd.DataFrame, method: str, *, share: float = 1.0, seed: int
) -> pd.DataFrame:
    """Learn the classes of the split train from hand-made features, and predict those of all images.

    Parameters
    ----------
    images : PreparedImages or Features
        All images of the sheet at least. Features that were extracted once serve several calls.
    sheet : DataFrame
        Scan sheet.
    method : str
        One of `CONVENTIONAL`: logistic regression (L2, C = 1) and support vector machine (radial kernel,
        C = 1) of standardised features, or a random forest of 200 trees.
    share : float
        Share of the groups of the split train that is learnt from, see `draw_share`.
    seed : int
        Draws the share, and the trees.

    Returns
    -------
    DataFrame
        As `tabulate_predictions`. The p_{class} of the support vector machine are a softmax of its
        decision values (0 and the value for two classes), which order the classes and are no probabilities.

    Raises
    ------
    InputError
        If the method is unknown, an image is not prepared, or the share is out of its range.
    """
    if method not in CONVENTIONAL:
        expected = f"one of {', '.join(CONVENTIONAL)}"
        raise InputError("scans.architectures.conventional", repr(method), expected, "Correct the name.")
    features = images if isinstance(images, Features) else extract_features(_pick(images, sheet))
    classes = list_classes(sheet)
    learnt = draw_share(sheet[sheet["split"] == "train"], share, seed)
    labels = pd.Index(classes).get_indexer(learnt["class"])
    model = CONVENTIONAL[method](derive_seed(seed, method) % STATES)
    model.fit(features.pick(learnt["image"]), labels)
    return tabulate_predictions(sheet, classes, _weigh(model, features.pick(sheet["image"])))


def _pick(images: PreparedImages, sheet: pd.DataFrame) -> PreparedImages:
    places = images.find(sheet["image"])
    return PreparedImages(
        tuple(sheet["image"]), images.images[places], images.masks[places], images.shapes[places]
    )


def _weigh(model: ClassifierMixin, values: np.ndarray) -> np.ndarray:
    """Return how much speaks for each class, shape (images, classes), rows adding up to 1."""
    if hasattr(model, "predict_proba"):
        return model.predict_proba(values)
    decisions = model.decision_function(values)
    if decisions.ndim == 1:
        decisions = np.column_stack([np.zeros_like(decisions), decisions])
    powers = np.exp(decisions - decisions.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
