import numpy as np
import pytest

from medscale.scans.handmade_features import (
    describe_gradients,
    describe_grey_values,
    describe_image,
    describe_patterns,
    describe_texture,
)
from tests.unit.scans.picture_files import draw_blobs


def test_grey_values_by_hand():
    image = np.array([[0, 0, 0, 255]], np.uint8)
    features = describe_grey_values(image)
    shares = [features[f"grey_histogram_{number}"] for number in range(16)]
    assert shares == [0.75, *[0] * 14, 0.25]
    assert features["grey_mean"] == pytest.approx(0.25)
    assert features["grey_sd"] == pytest.approx(np.sqrt(3) / 4)
    # Of a Bernoulli number with p = 1/4: (1 - 2 p) / sqrt(p q) and (1 - 6 p q) / (p q).
    assert features["grey_skewness"] == pytest.approx(2 / np.sqrt(3))
    assert features["grey_kurtosis"] == pytest.approx(-2 / 3)


def test_texture_of_stripes_by_hand():
    stripes = np.tile(np.array([[0], [255]], np.uint8), (16, 32))
    features = describe_texture(stripes)
    # Neighbours one pixel apart are equal along the rows, and 31 levels apart in the three other directions.
    assert features["texture_contrast_1px_mean"] == pytest.approx(0.75 * 31**2)
    assert features["texture_contrast_1px_range"] == pytest.approx(31**2)
    # Two pixels apart they are equal along rows and columns; on the diagonals that is one row and column.
    assert features["texture_contrast_2px_mean"] == pytest.approx(0.5 * 31**2)
    # Four pixels on the diagonal are three rows and columns.
    assert features["texture_homogeneity_4px_mean"] == pytest.approx((1 + 1 / (1 + 31**2)) / 2)


def test_patterns_do_not_change_when_the_image_is_turned():
    image = draw_blobs("a", 40, 40)
    one, turned = describe_patterns(image), describe_patterns(np.rot90(image))
    assert one == pytest.approx(turned)
    assert sum(value for name, value in one.items() if name.startswith("pattern_1px")) == pytest.approx(1)


def test_gradients_see_the_direction_of_stripes():
    stripes = np.tile(np.repeat(np.array([[0], [255]], np.uint8), 8, axis=0), (4, 64))
    rows, columns = describe_gradients(stripes), describe_gradients(stripes.T)
    assert len(rows) == 3 * 3 * 2 * 2 * 8
    direction = [np.argmax([one[f"gradient_{number}"] for number in range(8)]) for one in (rows, columns)]
    assert sorted(direction) == [0, 4]


@pytest.mark.parametrize("shape", [(32, 32), (96, 80)])
def test_every_image_has_the_same_finite_features(shape):
    black = describe_image(np.zeros(shape, np.uint8))
    blobs = describe_image(draw_blobs("a", *shape))
    assert list(black) == list(blobs)
    assert np.isfinite(list(black.values())).all()
    assert np.isfinite(list(blobs.values())).all()
    assert len(set(blobs)) == len(blobs) == 372


def test_features_tell_images_apart():
    one, other = (describe_image(draw_blobs(name, 48, 48)) for name in "ab")
    assert sum(one[name] != other[name] for name in one) > 250
