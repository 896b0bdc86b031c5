"""The study in flat numbers."""

from collections.abc import Mapping

import pandas as pd

from medscale.kits19.comparison import SCORES


def flatten_metrics(comparison: pd.DataFrame, correlations: Mapping[str, float]) -> dict[str, float | int]:
    """Return one number for each network and score, named like `test_unet3d_dice_tumour`, for DVC.

    `_low` and `_high` are the ends of an interval; the rows of `all_background` and `no_tumour` are floors.

    Parameters
    ----------
    comparison : DataFrame
        Of `compare_segmenters`.
    correlations : mapping of str to float
        Spearman's rho between the volume of a tumour and its Dice, by network.
    """
    metrics: dict[str, float | int] = {"test_cases": int(comparison["cases"].max())}
    for row in comparison.to_dict("records"):
        name = f"test_{row['network']}"
        for key in (f"{score}{end}" for score in SCORES for end in ("", "_low", "_high")):
            if pd.notna(row[key]):
                metrics[f"{name}_{key}"] = float(row[key])
        rho = correlations.get(row["network"])
        if rho is not None and pd.notna(rho):
            metrics[f"{name}_spearman_dice_tumour_volume"] = float(rho)
    return metrics
