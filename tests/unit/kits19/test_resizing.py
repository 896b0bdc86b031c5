from itertools import permutations

import numpy as np
import pytest

from medscale.kits19.resizing import (
    INTERPOLATIONS,
    LABEL_INTERPOLATIONS,
    resize_as_thesis,
    resize_each,
    resize_image,
    resize_labels,
)

RAMP = np.tile(np.arange(64, dtype=np.float32), (64, 1))


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_images_keep_their_place(interpolation):
    """A ramp stays where it is: no interpolation moves the picture by half a pixel of the small size."""
    small = resize_image(RAMP, (16, 16), interpolation)
    middles = 4 * np.arange(16) + 1.5
    assert np.abs(small[8, 2:-2] - middles[2:-2]).max() <= 0.5
    assert resize_image(RAMP, (16, 24), interpolation).shape == (16, 24)


def test_area_alone_looks_at_every_pixel():
    dots = np.zeros((64, 64), np.float32)
    dots[::4, ::4] = 16
    small = {name: resize_image(dots, (16, 16), name) for name in INTERPOLATIONS}
    assert np.allclose(small["area"], 1)
    assert not small["linear"].any()
    assert not small["nearest"].any()


@pytest.mark.parametrize("interpolation", LABEL_INTERPOLATIONS)
def test_labels_of_large_pieces_are_kept_by_all(interpolation):
    small = np.zeros((16, 16), np.uint8)
    small[3:9, 2:8], small[10:14, 4:12] = 1, 2
    large = small.repeat(4, axis=0).repeat(4, axis=1)
    resized = resize_labels(large, (16, 16), interpolation)
    assert resized.dtype == np.uint8
    np.testing.assert_array_equal(resized, small)


@pytest.mark.parametrize("interpolation", LABEL_INTERPOLATIONS)
def test_background_stays_background(interpolation):
    resized = resize_labels(np.zeros((512, 796), np.uint8), (128, 128), interpolation)
    assert resized.shape == (128, 128)
    assert not resized.any()


def test_labels_are_never_mixed():
    """Between background and tumour lies no kidney, as interpolating the numbers would have it."""
    labels = np.zeros((64, 64), np.uint8)
    labels[13:51, 13:51] = 2
    for interpolation in LABEL_INTERPOLATIONS:
        assert set(np.unique(resize_labels(labels, (16, 16), interpolation))) == {0, 2}


def block(background, kidney, tumour):
    """Return 4 × 4 pixels with so many of each label."""
    return np.repeat([0, 1, 2], [background, kidney, tumour]).astype(np.uint8).reshape(4, 4)


@pytest.mark.parametrize(
    ("counts", "label"),
    [
        ((9, 7, 0), 0),
        ((7, 9, 0), 1),
        ((6, 5, 5), 0),
        ((5, 5, 6), 2),
        ((8, 8, 0), 1),
        ((0, 8, 8), 2),
        ((8, 0, 8), 2),
        ((6, 6, 4), 1),
    ],
)
def test_the_largest_share_wins_and_of_equal_ones_the_rarer_class(counts, label):
    assert resize_labels(block(*counts), (1, 1), "area") == label


def test_the_border_of_kidney_and_tumour_matches_no_class_of_the_thesis():
    # The border runs through the middle of a small pixel, whose share of either is a half.
    labels = np.ones((64, 64), np.uint8)
    labels[:, 34:] = 2
    resized, unmatched = resize_as_thesis(labels, (16, 16))
    assert set(np.flatnonzero(unmatched.any(axis=0))) == {8}
    assert unmatched[:, 8].all()
    assert (resized[:, 8] == 1).all()
    assert (resized[:, :8] == 1).all()
    assert (resized[:, 9:] == 2).all()


def test_the_threshold_of_the_thesis_makes_organs_grow():
    rows, columns = np.mgrid[:256, :256]
    disc = (np.hypot(rows - 127, columns - 130) < 61).astype(np.uint8)
    small = {
        name: 16 * np.count_nonzero(resize_labels(disc, (64, 64), name)) for name in LABEL_INTERPOLATIONS
    }
    assert small["thesis"] > 1.01 * disc.sum()
    assert small["area"] == pytest.approx(disc.sum(), rel=0.01)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("axes", list(permutations(range(3))))
@pytest.mark.parametrize("shape", [(8, 8), (13, 5), (40, 7), (48, 60)])
def test_volumes_are_resized_slice_by_slice_however_they_lie_in_memory(interpolation, axes, shape):
    values = np.random.default_rng(0).integers(-1000, 1000, (70, 24, 32)).astype(np.int16)
    volume = np.ascontiguousarray(values.transpose(axes)).transpose(np.argsort(axes))[:, ::-1]
    resized = list(
        resize_each(volume, shape, interpolation, lambda part: np.clip(part, -512, 512, dtype="f4"))
    )
    assert len(resized) == 70
    for one, whole in zip(resized, values[:, ::-1], strict=True):
        expected = resize_image(np.clip(whole, -512, 512).astype("f4"), shape, interpolation)
        np.testing.assert_allclose(one, expected, atol=2e-3)
