"""Batch schedules side by side, in the columns of Tables 3.1 and 3.2 of the thesis."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from medscale.sparse_ct.thesis_tables import COLUMNS, THESIS

# Thesis, section 3.3.1: Table 3.1 is about crops, Table 3.2 about downsized slices.
TABLES = {"crop": "t31", "resize": "t32"}
GROUP = ["sizing", "output", "schedule", "control"]
HISTORY = ["epoch", "batch_size", "learning_rate", *COLUMNS]


def collect_runs(runs: Sequence[Mapping[str, Any]], cards: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the history of all trainings, one row an epoch.

    Parameters
    ----------
    runs : sequence of mapping
        `sizing`, `output`, `seed`, `schedule` and `control` ("" or "_decayed") of each training.
    cards : sequence of mapping
        Their model cards, in the same order.
    """
    parts = []
    for run, card in zip(runs, cards, strict=True):
        named = {**run, "control": "learning rate" if run["control"] else "batch"}
        text = card["training"]["batch_sizes"]
        parts.append(pd.DataFrame(card["history"])[HISTORY].assign(batch_sizes=text, **named))
    table = pd.concat(parts, ignore_index=True)
    return table[[*GROUP, "seed", "batch_sizes", *HISTORY]]


def choose_curves(histories: pd.DataFrame, sizing: str, output: str, kind: str) -> pd.DataFrame:
    """Return the trainings of one figure: batch size 1 beside the fixed sizes, or beside those that grow.

    Parameters
    ----------
    kind : {"fixed", "growing"}
        Figure 3.9 of the thesis shows fixed sizes, Figures 3.10 and 3.11 growing ones.
    """
    same = (histories["sizing"] == sizing) & (histories["output"] == output)
    is_fixed = histories["schedule"].str.startswith("fixed/")
    wanted = is_fixed if kind == "fixed" else ~is_fixed | (histories["schedule"] == "fixed/1")
    return histories[same & wanted & (histories["control"] == "batch")]


def tabulate_growth(histories: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each schedule: the last epoch's means over seeds, their spread, and the thesis.

    `{column}_sd` is the standard deviation over seeds (empty for one seed). `gain_db` is the validation PSNR
    beyond that of batch size 1 with the same seed; `gain_lowest_db` and `gain_highest_db` are its range over
    seeds. `thesis_{column}` is what the thesis prints.
    """
    last = histories.groupby([*GROUP, "seed"], sort=False).tail(1)
    last = last.assign(gain_db=_gain(last))
    return pd.DataFrame([_row(key, runs) for key, runs in last.groupby(GROUP, sort=False)])


def _gain(last: pd.DataFrame) -> pd.Series:
    keys = ["sizing", "output", "seed"]
    base = last[last["schedule"] == "fixed/1"].set_index(keys)["validation_psnr"]
    return last["validation_psnr"] - base.reindex(pd.MultiIndex.from_frame(last[keys])).to_numpy()


def _row(key: tuple[str, ...], runs: pd.DataFrame) -> dict[str, Any]:
    named = dict(zip(GROUP, key, strict=True))
    printed = THESIS.get(_thesis_name(named))
    gains = runs["gain_db"]
    return {
        **named,
        "batch_sizes": runs["batch_sizes"].iloc[0],
        "seeds": len(runs),
        **{column: runs[column].mean() for column in COLUMNS},
        **{f"{column}_sd": runs[column].std() for column in COLUMNS},
        "gain_db": gains.mean(),
        "gain_lowest_db": gains.min(),
        "gain_highest_db": gains.max(),
        **{f"thesis_{column}": printed[place] if printed else None for place, column in enumerate(COLUMNS)},
    }


def _thesis_name(row: Mapping[str, str]) -> str | None:
    """The name that the row has in the thesis, which lets only the batch change, if it is there."""
    if row["control"] != "batch":
        return None
    return f"{TABLES[row['sizing']]}/1" if row["schedule"] == "fixed/1" else row["schedule"]
