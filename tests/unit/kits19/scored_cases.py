"""Tables of scores as score_cases writes them, for tests."""

import numpy as np
import pandas as pd

from medscale.kits19.scores import score_case

SPACING = (3.0, 1.0, 1.0)


def draw_truth(seed):
    """One kidney with a tumour of its own size."""
    rng = np.random.default_rng(seed)
    truth = np.zeros((10, 24, 24), np.uint8)
    truth[2:8, 4:16, 4:16] = 1
    edge = 2 + seed % 5
    row = int(rng.integers(6, 12))
    truth[3 : 3 + min(edge, 5), row : row + edge, 10 : 10 + edge] = 2
    return truth


def spoil(truth, seed, strength):
    """Labels with a shifted kidney and, the smaller the strength, the more of the tumour."""
    rng = np.random.default_rng(seed)
    kidney = np.roll(truth > 0, int(strength > 0.3), axis=1).astype(np.uint8)
    return np.where((truth == 2) & (rng.random(truth.shape) > strength), 2, kidney).astype(np.uint8)


def table(seed, strength, cases=6):
    """Scores of one training."""
    rows = []
    for number in range(cases):
        truth = draw_truth(number)
        scores = score_case(truth, spoil(truth, 100 * seed + number, strength), SPACING)
        rows.append({"case": f"case_{number:05d}", **scores})
    return pd.DataFrame(rows)


def floors(cases=6):
    """Scores of the predictors that know nothing."""
    from medscale.kits19.floors import FLOORS

    rows = []
    for name, predict in FLOORS.items():
        for number in range(cases):
            truth = draw_truth(number)
            scores = score_case(truth, predict(truth), SPACING)
            rows.append({"network": name, "case": f"case_{number:05d}", **scores})
    return pd.DataFrame(rows)
