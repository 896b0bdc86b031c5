"""Dice of tumours by their volume: the thesis saw small ones missed, and did not measure it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

VOLUME, DICE = "volume_ml_tumour", "dice_tumour"
BAND_COLUMNS = ["network", "from_ml", "to_ml", "cases", "dice_tumour", "surface_dice_tumour", "found"]


def collect_tumours(networks: Sequence[str], scores: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return one row for each network and test tumour, averaged over seeds.

    Parameters
    ----------
    networks : sequence of str
        Network of each table; one that was trained with several seeds comes several times.
    scores : sequence of DataFrame
        Of `score_cases`.

    Returns
    -------
    DataFrame
        network, case, volume_ml_tumour, dice_tumour, surface_dice_tumour, found (the share of seeds with any
        voxel right); cases without a tumour are left out.
    """
    kept = ["case", VOLUME, DICE, "surface_dice_tumour"]
    parts = [
        table[kept].assign(network=network, found=(table[DICE] > 0).astype(float))
        for network, table in zip(networks, scores, strict=True)
    ]
    tumours = pd.concat(parts, ignore_index=True)
    tumours = tumours[tumours[VOLUME] > 0]
    return tumours.groupby(["network", "case"], sort=False, as_index=False).mean()


def tabulate_bands(tumours: pd.DataFrame, edges_ml: Sequence[float]) -> pd.DataFrame:
    """Average over tumours of like volume.

    Parameters
    ----------
    tumours : DataFrame
        Of `collect_tumours`.
    edges_ml : sequence of float
        Where one band ends and the next begins; the last has no end.

    Returns
    -------
    DataFrame
        `BAND_COLUMNS`; bands without a tumour are kept, with no mean. `to_ml` of the last band is missing.
    """
    starts, ends = [0.0, *edges_ml], [*edges_ml, np.inf]
    rows = []
    for network, own in tumours.groupby("network", sort=False):
        for start, end in zip(starts, ends, strict=True):
            band = own[(own[VOLUME] >= start) & (own[VOLUME] < end)]
            means = band[[DICE, "surface_dice_tumour", "found"]].mean()
            head = {"network": network, "from_ml": start, "to_ml": end, "cases": len(band)}
            rows.append({**head, **means.to_dict()})
    return pd.DataFrame(rows, columns=BAND_COLUMNS).replace({"to_ml": {np.inf: np.nan}})


def correlate(tumours: pd.DataFrame) -> dict[str, float]:
    """Return Spearman's rank correlation of volume and Dice for each network.

    NaN with fewer than three tumours, or where all have the same Dice, as when none is found.
    """
    return {network: _rho(own[VOLUME], own[DICE]) for network, own in tumours.groupby("network", sort=False)}


def _rho(volumes: pd.Series, scores: pd.Series) -> float:
    if len(volumes) < 3 or volumes.nunique() < 2 or scores.nunique() < 2:
        return float("nan")
    return float(spearmanr(volumes, scores).statistic)
