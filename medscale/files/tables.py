"""Tables and JSON whose bytes depend on their content alone."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from medscale.files.atomic import atomic_path


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write `table` as CSV or Parquet, by the suffix of `path`. The index is not written.

    CSV holds 10 significant digits: enough for every quantity here, and the same on machines whose
    sums differ in the last bit.
    """
    with atomic_path(path) as temporary:
        if Path(path).suffix == ".parquet":
            table.to_parquet(temporary, index=False, compression="zstd")
        else:
            table.to_csv(temporary, index=False, lineterminator="\n", float_format="%.10g")


def read_table(path: str | Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a CSV or Parquet table that `write_table` wrote. Only an empty cell is missing (NaN)."""
    if Path(path).suffix == ".parquet":
        return pd.read_parquet(path, columns=columns)
    return pd.read_csv(path, usecols=columns, keep_default_na=False, na_values=[""])


def write_json(content: Any, path: str | Path) -> None:
    """Write JSON with sorted keys; NaN is refused, since it is not JSON."""
    with atomic_path(path) as temporary:
        text = json.dumps(content, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: str | Path) -> Any:
    """Read one JSON document."""
    return json.loads(Path(path).read_text(encoding="utf-8"))
