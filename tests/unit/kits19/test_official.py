import warnings

import numpy as np
import pytest

from medscale.errors import InputError
from medscale.kits19.official import official_scores


def their_scores(truth, prediction):
    """What the challenge says: labels above 0, and labels above 1."""
    if prediction.ndim == 4:
        prediction = np.argmax(prediction, axis=-1)
    prediction = np.round(prediction)
    pairs = [(truth > label, prediction > label) for label in (0, 1)]
    return tuple(2 * np.logical_and(a, b).sum() / (a.sum() + b.sum()) for a, b in pairs)


@pytest.fixture
def truth():
    return np.random.default_rng(0).integers(0, 3, (6, 7, 8), np.uint8)


def test_a_mask_against_itself_is_perfect(truth):
    assert official_scores(truth, truth) == (1.0, 1.0)


def test_scores_are_those_of_the_challenge(truth):
    rng = np.random.default_rng(1)
    for prediction in (
        rng.integers(0, 3, truth.shape),
        rng.uniform(-0.4, 2.4, truth.shape),
        rng.random((*truth.shape, 3)),
        rng.integers(0, 3, truth.shape).astype(np.float32),
    ):
        assert official_scores(truth, prediction) == pytest.approx(their_scores(truth, prediction))


def test_a_tumour_called_kidney_costs_the_tumour_alone():
    truth = np.zeros((1, 2, 4), np.uint8)
    truth[0, 0], truth[0, 1, :2] = 1, 2
    assert official_scores(truth, np.minimum(truth, 1)) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("true", "called", "scores"),
    [(0, 0, (1.0, 1.0)), (0, 1, (0.0, 1.0)), (1, 1, (1.0, 1.0)), (2, 0, (0.0, 0.0)), (1, 2, (1.0, 0.0))],
)
def test_empty_regions_are_defined_without_a_warning(true, called, scores):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        volumes = [np.full((2, 3, 4), label, np.uint8) for label in (true, called)]
        assert official_scores(*volumes) == scores


def test_counts_of_small_types_do_not_overflow():
    full = np.full((4, 300, 300), 2, np.uint8)
    half = full.copy()
    half[2:] = 0
    assert official_scores(full, half) == pytest.approx((2 / 3, 2 / 3))


def test_another_shape_and_nan_are_refused(truth):
    with pytest.raises(InputError, match=r"\(6, 7, 7\).*\(6, 7, 8\)"):
        official_scores(truth, truth[..., :7])
    with pytest.raises(InputError, match=r"\(6, 8, 7\)"):
        official_scores(truth, truth.transpose(0, 2, 1))
    with pytest.raises(InputError, match="NaN"):
        official_scores(truth, np.full(truth.shape, np.nan))


def test_real_segmentations_against_themselves_and_against_a_shift(real_data):
    """A shift by one slice keeps what two neighbouring slices share."""
    import nibabel

    for case in ("case_00015", "case_00061"):
        image = nibabel.load(real_data / "kits19" / case / "segmentation.nii.gz")
        truth = np.asarray(image.dataobj).astype(np.uint8)
        assert official_scores(truth, truth) == (1.0, 1.0)
        shifted = np.zeros_like(truth)
        shifted[1:] = truth[:-1]
        by_hand = []
        for label in (0, 1):
            region = truth > label
            size = int(region.sum()) + int(region[:-1].sum())
            by_hand.append(2 * int((region[1:] & region[:-1]).sum()) / size)
        assert official_scores(truth, shifted) == pytest.approx(by_hand)
        assert 0.5 < by_hand[1] < by_hand[0] < 1
