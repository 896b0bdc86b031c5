"""The study in flat numbers."""

import math
from collections.abc import Iterable, Mapping

import pandas as pd

from medscale.scans.intervals import INTERVAL
from medscale.scans.segmentation_table import EMPTY
from medscale.scans.sheets import BY_GROUP

GUARDED, UNGUARDED = "guarded", "unguarded"
ACCURACIES = ("accuracy", "detection_accuracy")
FLOORS = ("floor_accuracy", "floor_detection_accuracy")
OVERLAPS = ("test_iou", "test_dice", "test_iou_original", "test_difference")
HURT = ("test_emptied", "test_helped", "test_hurt")


def flatten_metrics(
    classification: pd.DataFrame | None = None,
    segmentation: pd.DataFrame | None = None,
    architectures: pd.DataFrame | None = None,
    volumes: pd.DataFrame | None = None,
) -> dict[str, float]:
    """Return one number for each score of the tables that are there, for DVC; missing ones are left out.

    `_low` and `_high` are the ends of an interval. Names are:

    - `test_{collection}_{guarded|unguarded}_accuracy`, `…_detection_accuracy`, `…_floor_accuracy`,
      `…_floor_detection_accuracy`, `…_images` and `…_images_with_copy_in_train`, and
      `train_{collection}_{guarded|unguarded}_accuracy`,
    - `test_{loss}_aid_{aid}_iou`, `…_dice`, `…_iou_original`, `…_difference`, `…_emptied`, `…_helped`,
      `…_hurt`, and `test_empty_mask_iou` as their floor,
    - `test_architecture_{network}_accuracy`, of `majority` too, which is their floor,
    - `test_volumes_{inputs}_accuracy`.

    Parameters
    ----------
    classification, segmentation, architectures, volumes : DataFrame, optional
        Of `tabulate_classification`, `tabulate_segmentation`, `tabulate_architectures` and `compare_inputs`.
    """
    metrics: dict[str, float] = {}
    for row in _rows(classification):
        guard = GUARDED if row["divided_by"] == BY_GROUP else UNGUARDED
        metrics |= _flatten_classification(row, f"{row['collection']}_{guard}")
    for row in _rows(segmentation):
        metrics |= _flatten_segmentation(row)
    for row in _rows(architectures):
        metrics |= _with_interval(row, "test_accuracy", f"test_architecture_{row['network']}_accuracy")
    for row in _rows(volumes):
        metrics |= _with_interval(row, "test_accuracy", f"test_volumes_{row['inputs']}_accuracy")
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def _rows(table: pd.DataFrame | None) -> Iterable[Mapping[str, object]]:
    return () if table is None else table.to_dict("records")


def _flatten_classification(row: Mapping[str, object], name: str) -> dict[str, float]:
    metrics = {
        f"test_{name}_images": _number(row["test_images"]),
        f"test_{name}_images_with_copy_in_train": _number(row["test_images_with_copy_in_train"]),
    }
    for score in ACCURACIES:
        metrics |= _with_interval(row, f"test_{score}", f"test_{name}_{score}")
    for score in FLOORS:
        metrics |= _with_interval(row, score, f"test_{name}_{score}")
    return metrics | _with_interval(row, "train_accuracy", f"train_{name}_accuracy")


def _flatten_segmentation(row: Mapping[str, object]) -> dict[str, float]:
    name = f"test_{row['loss']}" if row["loss"] == EMPTY else f"test_{row['loss']}_aid_{row['aid']}"
    metrics: dict[str, float] = {}
    for score in OVERLAPS:
        metrics |= _with_interval(row, score, f"{name}_{score.removeprefix('test_')}")
    return metrics | {f"{name}_{count.removeprefix('test_')}": _number(row[count]) for count in HURT}


def _with_interval(row: Mapping[str, object], column: str, name: str) -> dict[str, float]:
    return {f"{name}{end}": _number(row[f"{column}{end}"]) for end in INTERVAL}


def _number(value: object) -> float:
    return float(value) if pd.notna(value) else math.nan
