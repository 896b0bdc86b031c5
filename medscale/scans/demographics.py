"""Age and sex of subjects as numbers that a network is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from medscale.errors import InputError

AGE, SEX = "age", "sex"
SEX_NUMBERS = {"F": -1.0, "M": 1.0}


@dataclass(frozen=True)
class ScoreScale:
    """How scores become numbers; it is learnt from training subjects alone.

    Age is standardised. Sex is -1 for F and 1 for M. A missing score is 0, the mean of age. For each score
    that some training subjects lack, a column says who lacks it (1) and who does not (0), since that may
    itself tell something. There is none for other scores: the network would have nothing to learn it from.

    Attributes
    ----------
    scores : tuple of str
        "age", "sex".
    means, sds : mapping of str to float
        Of the scores that are standardised, in their own unit: years.
    flagged : tuple of str
        Scores with a column for those who lack it.
    """

    scores: tuple[str, ...]
    means: Mapping[str, float]
    sds: Mapping[str, float]
    flagged: tuple[str, ...]

    @classmethod
    def fit(cls, train: pd.DataFrame, scores: Sequence[str]) -> "ScoreScale":
        """Learn means, deviations and which scores may be missing.

        Parameters
        ----------
        train : DataFrame
            Rows of a subject sheet, of training subjects alone.

        Raises
        ------
        InputError
            If nobody has one of the scores.
        """
        known = {score: train.loc[train[score] != "", score] for score in scores}
        for score, values in known.items():
            if values.empty:
                mend = "Fill the column, or take it out of scores."
                raise InputError("subject sheet", f"no {score} in train", "that of some subjects", mend)
        ages = known[AGE].astype(float).to_numpy() if AGE in known else np.zeros(0)
        means = {AGE: float(ages.mean())} if ages.size else {}
        # Ages that are all the same tell nothing, and stay 0.
        sds = {AGE: float(ages.std()) or 1.0} if ages.size else {}
        flagged = tuple(score for score in scores if len(known[score]) < len(train))
        return cls(tuple(scores), means, sds, flagged)

    @classmethod
    def restore(cls, described: Mapping[str, Any]) -> "ScoreScale":
        """Return the scale that `describe` described."""
        parts = {name: tuple(described[name]) for name in ("scores", "flagged")}
        return cls(**parts, means=described["means"], sds=described["sds"])

    def describe(self) -> dict[str, Any]:
        """Return what JSON can hold of it."""
        lists = {"scores": list(self.scores), "flagged": list(self.flagged)}
        return {**lists, "means": dict(self.means), "sds": dict(self.sds)}

    @property
    def columns(self) -> list[str]:
        """Names of the numbers, such as age, sex, age_missing."""
        return [*self.scores, *(f"{score}_missing" for score in self.flagged)]

    def encode(self, sheet: pd.DataFrame) -> np.ndarray:
        """Return the numbers of the subjects of a sheet, float32, shape (subjects, columns)."""
        columns = [self._encode_one(score, sheet[score]) for score in self.scores]
        columns += [(sheet[score] == "").to_numpy(float) for score in self.flagged]
        return np.array(columns, np.float32).reshape(len(columns), len(sheet)).T.copy()

    def _encode_one(self, score: str, cells: pd.Series) -> np.ndarray:
        if score == SEX:
            return cells.map(SEX_NUMBERS).fillna(0.0).to_numpy(float)
        years = cells.where(cells != "").astype(float).to_numpy()
        return np.nan_to_num((years - self.means[score]) / self.sds[score])
