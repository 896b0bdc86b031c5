"""U-Nets with three losses, with and without the classifier's aid, beside outlines that are always empty."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from medscale.scans.intervals import ENDINGS, INTERVAL, GroupDraws, align_seeds, estimate_mean
from medscale.scans.report_tables import REPORTED_OVERLAP
from medscale.scans.sheets import list_tumour_free
from medscale.scans.trainings import AIDED, PLAIN, MaskTraining

WHERE = "scores of outlined tumours"
TRAIN, TEST = "train", "test"
NONE, PREDICTION, TRAINING = "none", "prediction", "training"
# Each aid: which network is used, and what its columns of scores end with.
AIDS = {NONE: (PLAIN, ""), PREDICTION: (PLAIN, "_aided"), TRAINING: (AIDED, "_aided")}
EMPTY = "empty_mask"
MEASURED = (
    "train_iou",
    "test_iou",
    "test_dice",
    "test_iou_original",
    "test_iou_with_tumour",
    "test_iou_without_tumour",
)
HEAD = ["loss", "aid", "network", "size_px", "seeds", "train_images", "test_images"]
EMPTIED = ["test_emptied", "test_helped", "test_hurt"]
REPORTED = ["report_train_iou", "report_test_iou"]
COLUMNS = [
    *HEAD,
    *(f"{name}{ending}" for name in MEASURED for ending in ENDINGS),
    *(f"test_difference{ending}" for ending in INTERVAL),
    *EMPTIED,
    *REPORTED,
]
WHOLE = ("size_px", "seeds", "train_images", "test_images")

# Scores of all seeds, by the names of the trainings.
Scores = Mapping[str, Sequence[pd.DataFrame]]


def tabulate_segmentation(
    trainings: Sequence[MaskTraining],
    scores: Scores,
    empty: pd.DataFrame,
    bootstrap_samples: int,
    seed: int,
) -> pd.DataFrame:
    """Return a row for each loss and aid, and below them one for outlines that never mark anything.

    Parameters
    ----------
    trainings : sequence of MaskTraining
    scores : mapping of str to sequence of DataFrame
        By their names: the table of `score_masks` of each seed.
    empty : DataFrame
        Of `score_empty`.
    bootstrap_samples : int
    seed : int
        The run's seed.

    Returns
    -------
    DataFrame
        `COLUMNS`. `aid` is `none`; `prediction`: the classifier empties outlines of the same network; or
        `training`: it also did so while another network learnt, as in the report. Scores are means over
        images as `estimate_mean` names them, IoU and Dice on the grid of the network and `iou_original` on
        that of the picture. `test_difference` is the gain in `test_iou` over the same loss without aid.
        `test_emptied` test images are called normal (mean over seeds); emptying them raised the IoU of
        `test_helped` and lowered that of `test_hurt` against what the same network had marked.

    Raises
    ------
    InputError
        As `align_seeds`.
    """
    rows = []
    for loss in dict.fromkeys(training.loss for training in trainings):
        own = {training.aid: training for training in trainings if training.loss == loss}
        tables = {aid: align_seeds(scores[training.name], WHERE) for aid, training in own.items()}
        for aid, (kind, ending) in AIDS.items():
            if kind not in own:
                continue
            measure = _Measure(tables[kind], ending, bootstrap_samples, seed)
            row = {"loss": loss, "aid": aid, "network": own[kind].network, "size_px": own[kind].size_px}
            row |= measure.scores() | _reported(loss, aid)
            if aid != NONE:
                row |= measure.emptied()
                row |= measure.difference(tables[PLAIN]) if PLAIN in tables else {}
            rows.append(row)
    floor = _Measure(align_seeds([empty], WHERE), "", bootstrap_samples, seed)
    rows.append({"loss": EMPTY, "aid": NONE} | floor.scores() | {"seeds": None})
    return pd.DataFrame(rows, columns=COLUMNS).astype(dict.fromkeys(WHOLE, "Int64"))


def lay_out_as_reported(segmentation: pd.DataFrame) -> pd.DataFrame:
    """Return mean IoU as the report's table has it, ours beside its own.

    Parameters
    ----------
    segmentation : DataFrame
        Of `tabulate_segmentation`.

    Returns
    -------
    DataFrame
        loss, train, test, train_aid, test_aid, and what the report prints of each; a row for each loss and
        one for empty outlines. Aid is that in training and prediction.
    """
    rows = []
    for loss, own in segmentation.groupby("loss", sort=False):
        own = own.set_index("aid")
        row: dict[str, object] = {"loss": loss}
        for ours, columns in (("", "{}_iou"), ("report_", "report_{}_iou")):
            for aid, ending in ((NONE, ""), (TRAINING, "_aid")):
                for split in (TRAIN, TEST):
                    known = aid in own.index
                    row[f"{ours}{split}{ending}"] = own.at[aid, columns.format(split)] if known else np.nan
        rows.append(row)
    return pd.DataFrame(rows)


class _Measure:
    """The numbers of one row."""

    def __init__(self, tables: Sequence[pd.DataFrame], ending: str, samples: int, seed: int):
        self.ending, self.samples, self.seed = ending, samples, seed
        self.free = list_tumour_free(tables[0])
        self.train, self.test = (
            [table[table["split"] == split] for table in tables] for split in (TRAIN, TEST)
        )

    def scores(self) -> dict[str, float | int]:
        test, tumour_free = self.test, self.test[0]["class"].isin(self.free).to_numpy()
        row = {
            "seeds": len(test),
            "train_images": len(self.train[0]),
            "test_images": len(test[0]),
        }
        row |= self._mean("train_iou", self.train, "iou")
        row |= self._mean("test_iou", test, "iou")
        row |= self._mean("test_dice", test, "dice")
        row |= self._mean("test_iou_original", test, "iou_original")
        row |= self._mean("test_iou_with_tumour", [table[~tumour_free] for table in test], "iou")
        row |= self._mean("test_iou_without_tumour", [table[tumour_free] for table in test], "iou")
        return row

    def emptied(self) -> dict[str, float]:
        called = np.array([table["called_normal"] for table in self.test], bool)
        gains = _values(self.test, "iou_aided") - _values(self.test, "iou")
        counts = (called, called & (gains > 0), called & (gains < 0))
        return {name: float(one.sum(axis=1).mean()) for name, one in zip(EMPTIED, counts, strict=True)}

    def difference(self, plain: Sequence[pd.DataFrame]) -> dict[str, float]:
        others = [table[table["split"] == TEST] for table in plain]
        align_seeds([self.test[0], others[0]], WHERE)
        ours, theirs = _values(self.test, f"iou{self.ending}"), _values(others, "iou")
        gains = ours.mean(axis=0) - theirs.mean(axis=0)
        estimate = estimate_mean("test_difference", gains[None], self._draws(self.test[0]))
        return {f"test_difference{ending}": estimate[f"test_difference{ending}"] for ending in INTERVAL}

    def _mean(self, name: str, tables: Sequence[pd.DataFrame], column: str) -> dict[str, float]:
        return estimate_mean(name, _values(tables, f"{column}{self.ending}"), self._draws(tables[0]))

    def _draws(self, table: pd.DataFrame) -> GroupDraws:
        return GroupDraws.of(table["group"].tolist(), self.samples, self.seed, "outlines")


def _values(tables: Sequence[pd.DataFrame], column: str) -> np.ndarray:
    return np.array([table[column] for table in tables], float)


def _reported(loss: str, aid: str) -> dict[str, float]:
    printed = REPORTED_OVERLAP.get(loss)
    if printed is None or aid == PREDICTION:
        return {}
    numbers = (printed.train, printed.test) if aid == NONE else (printed.train_aided, printed.test_aided)
    return dict(zip(REPORTED, numbers, strict=True))
