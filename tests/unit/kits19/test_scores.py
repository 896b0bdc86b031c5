import numpy as np
import pytest

from medscale.kits19.confusion import COLUMNS, count_confusion
from medscale.kits19.floors import all_background, no_tumour
from medscale.kits19.official import official_scores
from medscale.kits19.regions import REGIONS, TOLERANCES_MM
from medscale.kits19.scores import score_case
from medscale.kits19.surface import surface_dice

SPACING = (3.0, 0.8, 0.8)


@pytest.fixture
def truth():
    """A kidney with a tumour in its side, far from the edges."""
    truth = np.zeros((30, 40, 50), np.uint8)
    truth[8:20, 10:22, 12:26] = 1
    truth[12:18, 16:24, 20:30] = 2
    return truth


def test_a_case_against_itself_is_perfect(truth):
    scores = score_case(truth, truth, SPACING)
    for region, labels in REGIONS.items():
        assert scores[f"dice_{region}"] == scores[f"jaccard_{region}"] == 1
        assert scores[f"surface_dice_{region}"] == 1
        assert scores[f"volume_error_ml_{region}"] == 0
        ml = np.isin(truth, labels).sum() * 3 * 0.8 * 0.8 / 1000
        assert scores[f"volume_ml_{region}"] == pytest.approx(ml)


def test_scores_of_a_shifted_mask_are_those_of_whole_volumes(truth):
    """The box around the foreground changes nothing."""
    shifted = np.roll(truth, 2, axis=1)
    scores = score_case(truth, shifted, SPACING)
    assert official_scores(truth, shifted) == (scores["dice_kidney_and_tumour"], scores["dice_tumour"])
    for region, labels in REGIONS.items():
        masks = [np.isin(volume, labels) for volume in (truth, shifted)]
        dice = 2 * (masks[0] & masks[1]).sum() / (masks[0].sum() + masks[1].sum())
        assert scores[f"dice_{region}"] == pytest.approx(dice)
        assert scores[f"jaccard_{region}"] == pytest.approx(dice / (2 - dice))
        whole = surface_dice(*masks, SPACING, TOLERANCES_MM[region])
        assert scores[f"surface_dice_{region}"] == pytest.approx(whole)
    assert [scores[name] for name in COLUMNS] == count_confusion(truth, shifted).ravel().tolist()


def test_volume_errors_have_a_sign(truth):
    more = truth.copy()
    more[20, 10:20, 12:22] = 1
    less = np.where(truth == 2, 0, truth).astype(np.uint8)
    ml = 100 * 3 * 0.8 * 0.8 / 1000
    assert score_case(truth, more, SPACING)["volume_error_ml_kidney"] == pytest.approx(ml)
    scores = score_case(truth, less, SPACING)
    assert scores["volume_error_ml_tumour"] == -scores["volume_ml_tumour"] < 0


def test_a_wider_tolerance_forgives_more(truth):
    shifted = np.roll(truth, 2, axis=1)
    wide = score_case(truth, shifted, SPACING, dict.fromkeys(REGIONS, 1.6))
    narrow = score_case(truth, shifted, SPACING, dict.fromkeys(REGIONS, 1.5))
    assert all(narrow[f"surface_dice_{region}"] < 1 == wide[f"surface_dice_{region}"] for region in REGIONS)


def test_floors(truth):
    nothing = score_case(truth, all_background(truth), SPACING)
    assert {nothing[f"{score}_{r}"] for score in ("dice", "jaccard", "surface_dice") for r in REGIONS} == {
        0.0
    }
    kidney = score_case(truth, no_tumour(truth), SPACING)
    assert kidney["dice_kidney_and_tumour"] == kidney["surface_dice_kidney_and_tumour"] == 1
    assert 0.5 < kidney["dice_kidney"] < 1
    assert kidney["dice_tumour"] == kidney["surface_dice_tumour"] == 0


def test_a_case_without_anything_is_right_to_be_empty():
    empty = np.zeros((3, 4, 5), np.uint8)
    scores = score_case(empty, empty, SPACING)
    assert scores["dice_tumour"] == scores["surface_dice_tumour"] == scores["jaccard_kidney"] == 1
    assert scores["volume_ml_tumour"] == 0
