"""Networks side by side: mean scores on the test patients, how sure they are, and what the thesis prints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from medscale.bootstrap import NO_INTERVAL, draw_patients, percentile_interval
from medscale.errors import InputError
from medscale.kits19.confusion import COLUMNS as COUNTS
from medscale.kits19.regions import REGIONS
from medscale.kits19.thesis_tables import THESIS
from medscale.kits19.weighted_jaccard import weighted_jaccard
from medscale.networks.parameter_count import count_parameters
from medscale.networks.registry import build_network

KINDS = ("dice", "jaccard", "surface_dice", "volume_error_ml")
MEASURED = tuple(f"{kind}_{region}" for kind in KINDS for region in REGIONS)
# Errors of both signs cancel out in a mean, so that their size stands beside it.
SIZES = tuple(f"absolute_volume_error_ml_{region}" for region in REGIONS)
POOLED = "weighted_jaccard"
SCORES = (POOLED, *MEASURED, *SIZES)
ENDINGS = ("", "_low", "_high", "_sd")
HEAD = ("network", "dimensions", "seeds", "cases", "parameters", "thesis_parameters", f"thesis_{POOLED}")
WHOLE = ("dimensions", "seeds", "cases", "parameters", "thesis_parameters")
COLUMNS = [*HEAD, *(f"{score}{ending}" for score in SCORES for ending in ENDINGS)]


@dataclass(frozen=True)
class TrainedNetwork:
    """One training that is compared.

    Attributes
    ----------
    network : str
        Its name in `medscale.networks.registry`.
    seed : int
    dimensions : int
        Whether it sees slices (2) or blocks of them (3).
    parameters : int
        As `count_parameters` counts them.
    """

    network: str
    seed: int
    dimensions: int
    parameters: int

    @classmethod
    def of(cls, run: Mapping[str, Any], card: Mapping[str, Any]) -> "TrainedNetwork":
        """Describe the training of a run (`network`, `seed`) by its model card, as read from JSON."""
        network = build_network(seed=0, **card["network"])
        return cls(run["network"], int(run["seed"]), network.dimensions, count_parameters(network))


def compare_segmenters(
    trainings: Sequence[TrainedNetwork],
    scores: Sequence[pd.DataFrame],
    floors: pd.DataFrame,
    class_weights: Sequence[float],
    bootstrap_samples: int,
    seed: int,
) -> pd.DataFrame:
    """Return one row for each network, and below them one for each predictor that knows nothing.

    A score is the mean over patients and seeds. `{score}_low` and `{score}_high` are the ends of its 95 %
    percentile bootstrap interval, which draws patients, the same ones for all networks; a patient's seeds are
    averaged before. `{score}_sd` is the standard deviation over seeds, missing for a single one.
    `weighted_jaccard` pools the voxels of all patients instead, as the thesis does.

    Parameters
    ----------
    trainings : sequence of TrainedNetwork
    scores : sequence of DataFrame
        Their scores by `score_cases`, in the same order.
    floors : DataFrame
        Of `score_floors`.
    class_weights : sequence of float
        Of background, kidney and tumour in training. The same serve all rows: with others, scores could not
        be compared.
    bootstrap_samples : int
    seed : int
        The run's seed.

    Returns
    -------
    DataFrame
        `COLUMNS`, networks in the order in which they come first.

    Raises
    ------
    InputError
        If the tables do not hold the same cases, or a score is missing.
    """
    named = {name: own for name, own in floors.groupby("network", sort=False)}
    cases = _common_cases([*scores, *named.values()])
    weights = draw_patients(len(cases), bootstrap_samples, seed, "segmentation")
    measure = _Measure(cases, np.asarray(class_weights, float), weights)
    rows = []
    for network in dict.fromkeys(training.network for training in trainings):
        own = [number for number, training in enumerate(trainings) if training.network == network]
        rows.append(_head(trainings[own[0]], len(own)) | measure([scores[number] for number in own]))
    rows += [{"network": name, **measure([table])} for name, table in named.items()]
    return pd.DataFrame(rows, columns=COLUMNS).astype(dict.fromkeys(WHOLE, "Int64"))


@dataclass(frozen=True)
class _Measure:
    """Mean, interval and spread of every score of one network."""

    cases: list[str]
    class_weights: np.ndarray
    draws: np.ndarray | None

    def __call__(self, seeds: Sequence[pd.DataFrame]) -> dict[str, float]:
        tables = [table.set_index("case").loc[self.cases] for table in seeds]
        row: dict[str, float] = {"cases": len(self.cases)}
        pools = [table[COUNTS].to_numpy(float).reshape(-1, 3, 3) for table in tables]
        row |= self._summarise(POOLED, [self._pooled(pool) for pool in pools])
        for score in (*MEASURED, *SIZES):
            values = [_values(table, score) for table in tables]
            row |= self._summarise(score, [(own.mean(), self._means(own)) for own in values])
        return row

    def _summarise(self, score: str, seeds: Sequence[tuple[float, np.ndarray | None]]) -> dict[str, float]:
        """Combine the seeds' numbers, each with its values in the draws."""
        numbers = [float(number) for number, _ in seeds]
        drawn = [values for _, values in seeds]
        low, high = NO_INTERVAL if self.draws is None else percentile_interval(np.mean(drawn, axis=0))
        sd = float(np.std(numbers, ddof=1)) if len(numbers) > 1 else np.nan
        return dict(zip((f"{score}{end}" for end in ENDINGS), (np.mean(numbers), low, high, sd), strict=True))

    def _means(self, values: np.ndarray) -> np.ndarray | None:
        return None if self.draws is None else self.draws @ values / len(values)

    def _pooled(self, confusions: np.ndarray) -> tuple[float, np.ndarray | None]:
        pooled = float(weighted_jaccard(confusions.sum(axis=0), self.class_weights))
        if self.draws is None:
            return pooled, None
        return pooled, weighted_jaccard(np.tensordot(self.draws, confusions, 1), self.class_weights)


def _values(table: pd.DataFrame, score: str) -> np.ndarray:
    if score in SIZES:
        return table[score.removeprefix("absolute_")].abs().to_numpy(float)
    return table[score].to_numpy(float)


def _head(training: TrainedNetwork, seeds: int) -> dict[str, object]:
    printed = THESIS.get(training.network)
    return {
        "network": training.network,
        "dimensions": training.dimensions,
        "seeds": seeds,
        "parameters": training.parameters,
        "thesis_parameters": printed.parameters if printed else None,
        f"thesis_{POOLED}": printed.weighted_jaccard if printed else np.nan,
    }


def _common_cases(tables: Sequence[pd.DataFrame]) -> list[str]:
    """Return the cases that all tables hold."""
    expected = sorted(tables[0]["case"])
    for table in tables:
        if sorted(table["case"]) != expected or table["case"].duplicated().any():
            _refuse(f"the cases {', '.join(sorted(table['case']))}", f"once each of {', '.join(expected)}")
        lacking = [name for name in (*MEASURED, *COUNTS) if name not in table or table[name].isna().any()]
        if lacking:
            _refuse(f"no {lacking[0]} of some case", "every score of every case")
    return expected


def _refuse(found: str, expected: str) -> None:
    raise InputError(
        "scores of the networks", found, expected, "Score the predictions of all networks again."
    )
