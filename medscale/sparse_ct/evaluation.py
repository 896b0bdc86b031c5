"""The study in flat numbers."""

import pandas as pd

from medscale.sparse_ct.quality_table import GAIN, METRICS


def flatten_metrics(quality: pd.DataFrame, growth: pd.DataFrame) -> dict[str, float | int]:
    """Return one number for each method, size, number of views and measure, and the gains of batch growth.

    Names are like `test_60views_128px_denoiser_psnr_db`, with `_low` and `_high` for the ends of an interval.
    `..._denoiser_gain_over_best_fbp_db` compares with the window that is best on these very test images.

    Parameters
    ----------
    quality : DataFrame
        Of `quality_table.summarise`.
    growth : DataFrame
        Of `growth_table.tabulate_growth`.
    """
    metrics: dict[str, float | int] = {}
    for (views, size), rows in quality.groupby(["views", "size_px"]):
        case = f"test_{views}views_{size}px"
        by_method = rows.set_index("method")
        fbp = by_method[by_method.index.str.startswith("fbp_")]["psnr_db"].max()
        gain = by_method.at["denoiser", "psnr_db"] - fbp
        metrics[f"{case}_denoiser_gain_over_best_fbp_db"] = float(gain)
        metrics |= {f"{case}_{unit}": int(by_method[unit].max()) for unit in ("slices", "patients")}
        for method, row in by_method.iterrows():
            for measure in (*METRICS, GAIN):
                metrics |= _with_interval(f"{case}_{method}_{measure}", row, measure)
    grown = growth[growth["schedule"] != "fixed/1"]
    for row in grown.to_dict("records"):
        control = "" if row["control"] == "batch" else "_decayed"
        name = f"{row['sizing']}_{row['output']}_{row['schedule'].replace('/', '_')}{control}"
        metrics[f"validation_gain_over_batch_1_{name}_db"] = float(row["gain_db"])
    return metrics


def _with_interval(name: str, row: pd.Series, measure: str) -> dict[str, float]:
    values = {f"{name}{end}": row[f"{measure}{end}"] for end in ("", "_low", "_high")}
    return {key: float(value) for key, value in values.items() if pd.notna(value)}
