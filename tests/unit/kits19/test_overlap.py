import numpy as np
import pytest

from medscale.kits19.confusion import COLUMNS, count_confusion
from medscale.kits19.overlap import dice, jaccard

TRUTH = np.array([[[0, 0, 1, 1], [1, 2, 2, 2]]], np.uint8)
PREDICTION = np.array([[[0, 1, 1, 0], [1, 1, 2, 2]]], np.uint8)


def test_pairs_of_labels_are_counted():
    counts = count_confusion(TRUTH, PREDICTION)
    assert counts.tolist() == [[1, 1, 0], [1, 2, 0], [0, 1, 2]]
    assert COLUMNS[5] == "voxels_kidney_as_tumour"
    assert counts.ravel()[5] == 0
    assert count_confusion(PREDICTION, TRUTH).tolist() == counts.T.tolist()


def test_large_counts_do_not_overflow():
    ones = np.ones((300, 100, 100), np.uint8)
    assert count_confusion(ones, 2 * ones)[1, 2] == 3_000_000


def test_scores_of_regions_by_hand():
    counts = count_confusion(TRUTH, PREDICTION)
    assert dice(counts, (1, 2)) == pytest.approx(2 * 5 / (6 + 6))
    assert jaccard(counts, (1, 2)) == pytest.approx(5 / 7)
    assert dice(counts, (1,)) == pytest.approx(2 * 2 / (3 + 4))
    assert dice(counts, (2,)) == pytest.approx(2 * 2 / (3 + 2))
    assert jaccard(counts, (2,)) == pytest.approx(2 / 3)


@pytest.mark.parametrize(("truth", "prediction", "score"), [(0, 0, 1.0), (0, 2, 0.0), (2, 0, 0.0)])
def test_empty_regions_have_a_score(truth, prediction, score):
    counts = count_confusion(*(np.full((2, 3, 4), label, np.uint8) for label in (truth, prediction)))
    assert dice(counts, (2,)) == jaccard(counts, (2,)) == score


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match="shapes"):
        count_confusion(TRUTH, PREDICTION[:, :1])
    with pytest.raises(ValueError, match="above 2"):
        count_confusion(TRUTH, PREDICTION + np.uint8(1))
