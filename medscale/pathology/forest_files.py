"""The slide forest on disk: a skops file that runs no code when it is read."""

import io
import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import skops.io
from sklearn.ensemble import RandomForestClassifier

from medscale.errors import InputError
from medscale.files.atomic import atomic_path
from medscale.pathology.staging import CLASSES

# All that a forest holds beyond what skops trusts by itself.
TRUSTED_TYPES = ["sklearn.tree._tree.Tree"]
FIRST_DAY = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class StoredForest:
    """A forest and what its columns and classes mean."""

    forest: RandomForestClassifier
    features: list[str]
    thresholds: list[float]
    classes: list[str]


def save_forest(
    forest: RandomForestClassifier, path: str | Path, *, features: Sequence[str], thresholds: Sequence[float]
) -> None:
    """Write `forest` with the names of its features, the heatmap thresholds and the classes.

    The same forest gives the same bytes.
    """
    content = {
        "forest": forest,
        "features": list(features),
        "thresholds": [float(value) for value in thresholds],
        "classes": list(CLASSES),
    }
    with atomic_path(path) as temporary:
        _write_canonically(skops.io.dumps(content), temporary)


def load_forest(path: str | Path, *, features: Sequence[str] | None = None) -> StoredForest:
    """Read a forest that `save_forest` wrote.

    Parameters
    ----------
    path : str or Path
    features : sequence of str, optional
        The columns it will be given; they must be those it learned from, in the same order.

    Raises
    ------
    InputError
        If the file is none of ours, holds a type outside `TRUSTED_TYPES`, or has other features or classes.
    """
    stored = StoredForest(**_load_content(Path(path)))
    for name, own, wanted in (
        ("features", stored.features, features),
        ("classes", stored.classes, CLASSES),
    ):
        if wanted is not None and list(own) != list(wanted):
            raise InputError(
                path,
                f"a forest with the {name} {', '.join(own)}",
                ", ".join(wanted),
                "Train the forest again with the present config.",
            )
    return stored


def _load_content(path: Path) -> dict:
    try:
        strangers = set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED_TYPES)
        if strangers:
            raise InputError(
                path,
                f"the types {', '.join(sorted(strangers))}",
                "a random forest and nothing else",
                "Do not use this file: train the forest again.",
            )
        content = skops.io.load(path, trusted=TRUSTED_TYPES)
    except (OSError, zipfile.BadZipFile, KeyError, TypeError, json.JSONDecodeError) as error:
        raise InputError(
            path, f"no readable forest ({error})", "a .skops file of this project", "Train the forest again."
        ) from error
    expected = set(StoredForest.__dataclass_fields__)
    if not isinstance(content, dict) or set(content) != expected:
        raise InputError(path, "other content", ", ".join(sorted(expected)), "Train the forest again.")
    if not isinstance(content["forest"], RandomForestClassifier):
        raise InputError(
            path, type(content["forest"]).__name__, "RandomForestClassifier", "Train the forest again."
        )
    return content


def _write_canonically(skops_bytes: bytes, path: Path) -> None:
    """Write a skops archive with memory addresses replaced by running numbers, and without times."""
    with zipfile.ZipFile(io.BytesIO(skops_bytes)) as source:
        schema = source.read("schema.json").decode()
        numbers: dict[str, str] = {}
        schema = re.sub(
            r'(?<="__id__": )\d+|(?<=")\d+(?=\.npy")',
            lambda match: numbers.setdefault(match[0], str(len(numbers))),
            schema,
        )
        arrays = {f"{numbers[Path(name).stem]}.npy": source.read(name) for name in source.namelist()[:-1]}
    with zipfile.ZipFile(path, "w") as target:
        for name, data in [*sorted(arrays.items()), ("schema.json", schema.encode())]:
            target.writestr(zipfile.ZipInfo(name, FIRST_DAY), data, zipfile.ZIP_DEFLATED)
