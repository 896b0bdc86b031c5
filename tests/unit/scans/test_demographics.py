"""Ages and sexes as numbers."""

import json

import numpy as np
import pandas as pd
import pytest

from medscale.errors import InputError
from medscale.scans.demographics import ScoreScale


def _rows(ages, sexes):
    return pd.DataFrame({"age": ages, "sex": sexes})


TRAIN = _rows(["60", "70", "80"], ["F", "M", "M"])


def test_ages_are_standardised_by_training_subjects_and_sexes_are_signs():
    scale = ScoreScale.fit(TRAIN, ["age", "sex"])
    assert scale.columns == ["age", "sex"]
    assert (scale.means, scale.sds) == ({"age": 70}, {"age": pytest.approx(np.sqrt(200 / 3))})
    numbers = scale.encode(_rows(["70", "90.5", ""], ["M", "F", ""]))
    assert numbers.dtype == np.float32
    np.testing.assert_allclose(numbers, [[0, 1], [20.5 / 8.164966, -1], [0, 0]], rtol=1e-6)
    np.testing.assert_allclose(scale.encode(TRAIN)[:, 0].std(), 1, rtol=1e-6)


def test_scores_that_some_training_subjects_lack_are_flagged():
    scale = ScoreScale.fit(_rows(["60", "", "80"], ["F", "M", "M"]), ["age", "sex"])
    assert scale.columns == ["age", "sex", "age_missing"]
    assert scale.means == {"age": 70}
    np.testing.assert_allclose(scale.encode(_rows(["", "80"], ["", "F"])), [[0, 0, 1], [1, -1, 0]])


def test_scores_that_are_not_asked_for_leave_nothing():
    scale = ScoreScale.fit(TRAIN, [])
    assert scale.encode(TRAIN).shape == (3, 0)
    assert ScoreScale.fit(TRAIN, ["sex"]).encode(TRAIN).tolist() == [[-1], [1], [1]]
    assert ScoreScale.fit(TRAIN, ["sex", "age"]).columns == ["sex", "age"]
    assert scale.encode(TRAIN[:0]).shape == (0, 0)


def test_ages_that_are_all_the_same_tell_nothing():
    scale = ScoreScale.fit(_rows(["70", "70"], ["F", "M"]), ["age"])
    assert scale.encode(_rows(["70", "72"], ["F", "F"])).tolist() == [[0], [2]]


def test_a_scale_survives_json():
    scale = ScoreScale.fit(_rows(["60", "", "80"], ["F", "M", "M"]), ["age", "sex"])
    restored = ScoreScale.restore(json.loads(json.dumps(scale.describe())))
    assert restored == scale
    np.testing.assert_array_equal(restored.encode(TRAIN), scale.encode(TRAIN))


def test_a_score_that_nobody_has_is_refused():
    with pytest.raises(InputError, match="found no age in train"):
        ScoreScale.fit(_rows(["", ""], ["F", "M"]), ["age", "sex"])
