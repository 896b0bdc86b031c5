import numpy as np
import pandas as pd
import pytest

from medscale.errors import InputError
from medscale.scans.conventional import CONVENTIONAL, Features, classify_conventionally, extract_features
from medscale.scans.handmade_features import describe_image
from tests.unit.scans.prepared_scans import draw_scans

IMAGES, SHEET = draw_scans(16)


@pytest.fixture(scope="module")
def features():
    return extract_features(IMAGES)


def test_features_of_images_have_their_names(features):
    assert features.images == IMAGES.names
    assert features.values.shape == (48, len(features.names))
    expected = describe_image(IMAGES.images[5])
    assert dict(zip(features.names, features.values[5], strict=True)) == expected


@pytest.mark.parametrize("method", CONVENTIONAL)
def test_methods_learn_the_size_of_discs(features, method):
    table = classify_conventionally(features, SHEET, method, seed=0)
    assert table["image"].tolist() == SHEET["image"].tolist()
    assert list(table.columns) == [
        *("image", "group", "split", "class", "predicted"),
        *("p_normal", "p_benign", "p_malignant"),
    ]
    right = table["class"] == table["predicted"]
    assert right[table["split"] == "train"].mean() > 0.95
    assert right[table["split"] == "test"].mean() > 0.6
    weights = table[["p_normal", "p_benign", "p_malignant"]].to_numpy()
    assert weights.sum(axis=1) == pytest.approx(np.ones(48))
    assert (weights >= 0).all()


@pytest.mark.parametrize("method", CONVENTIONAL)
def test_two_classes_and_the_same_seed_give_the_same(features, method):
    sheet = SHEET[SHEET["class"] != "normal"]
    one, again = (classify_conventionally(features, sheet, method, seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(one, again)
    assert set(one["predicted"]) == {"benign", "malignant"}
    more = one["p_benign"] > one["p_malignant"]
    assert (more == (one["predicted"] == "benign")).all()


def test_test_images_teach_nothing(features):
    odd = SHEET.assign(**{"class": SHEET["class"].where(SHEET["split"] != "test", "benign")})
    one, other = (
        classify_conventionally(features, sheet, "logistic_regression", seed=0) for sheet in (SHEET, odd)
    )
    assert one["predicted"].tolist() == other["predicted"].tolist()


def test_a_share_learns_from_fewer_images_of_each_class():
    values = np.random.default_rng(0).normal(size=(48, 60))
    noise = Features(IMAGES.names, tuple(map(str, range(60))), values)
    table = classify_conventionally(noise, SHEET, "logistic_regression", share=0.125, seed=1)
    train = table[table["split"] == "train"]
    # Noise can only be learnt by heart: the image of each class that was drawn is right, others are guesses.
    right = train.loc[train["class"] == train["predicted"], "class"].value_counts()
    assert len(right) == 3
    assert 3 <= right.sum() < 20


def test_images_are_taken_by_name():
    shuffled = SHEET.sample(frac=1, random_state=0)
    one = classify_conventionally(IMAGES, SHEET, "logistic_regression", seed=0)
    other = classify_conventionally(IMAGES, shuffled, "logistic_regression", seed=0)
    assert other["image"].tolist() == shuffled["image"].tolist()
    both = one.merge(other, on="image")
    assert (both["predicted_x"] == both["predicted_y"]).all()


def test_unknown_methods_and_images_are_refused(features):
    with pytest.raises(InputError, match=r"'knn'.*one of logistic_regression, random_forest, svm"):
        classify_conventionally(features, SHEET, "knn", seed=0)
    strange = pd.concat([SHEET, SHEET[:1].assign(image="strange")])
    for source in (IMAGES, features):
        with pytest.raises(InputError, match=r"image strange.*no prepared image"):
            classify_conventionally(source, strange, "svm", seed=0)
