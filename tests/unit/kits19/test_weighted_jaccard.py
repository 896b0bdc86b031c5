import numpy as np
import pytest

from medscale.kits19.confusion import count_confusion
from medscale.kits19.floors import FLOORS, all_background, no_tumour
from medscale.kits19.weighted_jaccard import weighted_jaccard

WEIGHTS = np.array([0.34, 17.0, 72.0])


@pytest.fixture
def volumes():
    rng = np.random.default_rng(0)
    return rng.choice(3, (5, 20, 20), p=[0.9, 0.07, 0.03]), rng.choice(3, (5, 20, 20), p=[0.85, 0.1, 0.05])


def test_it_is_the_thesis_s_sum_over_all_elements(volumes):
    """Sums over one-hot tensors, as its loss functions write them."""
    y, p = (np.eye(3)[volume] for volume in volumes)
    hit, missed, wrong = ((WEIGHTS * part).sum() for part in (y * p, y * (1 - p), (1 - y) * p))
    expected = (hit + 1e-6) / (hit + missed + wrong + 1e-6)
    counts = count_confusion(*volumes)
    assert weighted_jaccard(counts, WEIGHTS) == pytest.approx(expected, rel=1e-12)
    many = weighted_jaccard(np.stack([counts, 3 * counts, counts.T]), WEIGHTS)
    assert many == pytest.approx([expected] * 3)


def test_a_perfect_prediction_scores_one(volumes):
    assert weighted_jaccard(count_confusion(volumes[0], volumes[0]), WEIGHTS) == 1


def test_floors_by_hand():
    truth = np.array([[[0, 0, 0, 0, 0, 0, 1, 1, 1, 2]]], np.uint8)
    weights = np.array([1.0, 2.0, 10.0])
    background, kidneys = (
        weighted_jaccard(count_confusion(truth, f(truth)), weights) for f in FLOORS.values()
    )
    # Four missed voxels of kidney and tumour are four too many of background.
    assert background == pytest.approx(6 / (6 + 3 * 2 + 10 + 4 * 1))
    assert kidneys == pytest.approx((6 + 6) / (6 + 6 + 10 + 2))


def test_floors_keep_shape_and_type():
    truth = np.array([[[0, 1, 2]]], np.uint8)
    assert all_background(truth).tolist() == [[[0, 0, 0]]]
    assert no_tumour(truth).tolist() == [[[0, 1, 1]]]
    assert {f(truth).dtype for f in FLOORS.values()} == {truth.dtype}
