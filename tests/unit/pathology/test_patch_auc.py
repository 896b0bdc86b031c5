import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from medscale.errors import InputError
from medscale.pathology.patch_auc import patch_auc


def draw_patches(count: int, patients: int, decimals: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    patient, label = rng.integers(0, patients, count), rng.integers(0, 2, count)
    shift = rng.normal(0, 0.3, patients)
    score = np.round(rng.random(count) + 0.3 * label + shift[patient], decimals)
    return pd.DataFrame({"slide": "s", "patient": patient.astype(str), "label": label, "score": score})


def test_the_auc_equals_scikit_learn_with_ties():
    patches = draw_patches(2000, 7, decimals=1)
    auc, low, high = patch_auc(patches, resamples=500, seed=1)
    assert auc == pytest.approx(roc_auc_score(patches["label"], patches["score"]), abs=1e-12)
    assert low < auc < high


def test_the_interval_equals_a_plain_bootstrap_of_patients():
    patches = draw_patches(600, 8)
    _, low, high = patch_auc(patches, resamples=4000, seed=1)
    rng = np.random.default_rng(9)
    groups = [own for _, own in patches.groupby("patient")]
    plain = []
    for _ in range(500):
        drawn = pd.concat([groups[i] for i in rng.integers(0, 8, 8)])
        plain.append(roc_auc_score(drawn["label"], drawn["score"]))
    assert [low, high] == pytest.approx(np.quantile(plain, [0.025, 0.975]), abs=0.02)


def test_perfect_reversed_and_useless_scores():
    patches = pd.DataFrame({"patient": ["a", "a", "b", "b"], "label": [0, 1, 0, 1]})
    for score, expected in (([0, 1, 0, 1], 1.0), ([1, 0, 1, 0], 0.0), ([5, 5, 5, 5], 0.5)):
        assert patch_auc(patches.assign(score=score), resamples=10, seed=1)[0] == expected


def test_one_label_has_no_auc_and_one_patient_no_interval():
    patches = draw_patches(100, 1)
    auc, low, high = patch_auc(patches, resamples=10, seed=1)
    assert auc is not None
    assert (low, high) == (None, None)
    assert patch_auc(patches[patches["label"] == 1], resamples=10, seed=1) == (None, None, None)


@pytest.mark.parametrize(("column", "value"), [("label", 2), ("score", np.nan)])
def test_unusable_patches_are_refused(column, value):
    patches = draw_patches(10, 2)
    patches.loc[0, column] = value
    with pytest.raises(InputError, match="patch"):
        patch_auc(patches, resamples=10, seed=1)
