"""Duplicates of pictures, and the groups that they form."""

from collections import Counter

import cv2
import numpy as np
import pytest

from medscale.scans.duplicates import (
    HASH_BITS,
    NEAR_BITS,
    Fingerprints,
    digest_pixels,
    find_contradicted,
    find_pairs,
    hash_picture,
    join_groups,
    take_fingerprints,
)
from medscale.scans.image_folders import find_scans
from medscale.seeds import generator
from tests.unit.scans.picture_files import draw_blobs, write_pixels


def distance(one: np.ndarray, other: np.ndarray) -> int:
    return int((hash_picture(one) != hash_picture(other)).sum())


def test_a_digest_is_of_pixels_and_not_of_encodings(tmp_path):
    grey = draw_blobs("one")
    write_pixels(tmp_path / "a.png", grey)
    write_pixels(tmp_path / "b.jpg", cv2.merge([grey] * 3), ".png")
    assert len(set(take_fingerprints([str(tmp_path / name) for name in ("a.png", "b.jpg")]).digests)) == 1
    assert digest_pixels(grey) != digest_pixels(grey.T)
    assert digest_pixels(np.zeros((2, 8), np.uint8)) != digest_pixels(np.zeros((4, 4), np.uint8))


@pytest.mark.parametrize(
    "change",
    [
        lambda grey: cv2.resize(grey, (300, 200)),
        lambda grey: np.pad(grey, ((30, 5), (0, 60))),
        lambda grey: (grey * 0.7 + 20).astype(np.uint8),
        lambda grey: cv2.imdecode(cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], 0),
    ],
)
def test_changed_copies_are_near(change):
    for name in ("one", "two", "three"):
        grey = draw_blobs(name)
        assert distance(grey, change(grey)) <= NEAR_BITS


def test_other_pictures_are_far():
    hashes = [hash_picture(draw_blobs(str(number))) for number in range(20)]
    assert hashes[0].shape == (HASH_BITS,)
    assert min((one != other).sum() for one in hashes for other in hashes if one is not other) > 2 * NEAR_BITS


def test_a_picture_of_one_value_has_a_hash():
    assert distance(np.zeros((40, 40), np.uint8), np.zeros((9, 7), np.uint8)) == 0


def test_pairs_are_those_of_a_plain_loop(monkeypatch):
    monkeypatch.setattr("medscale.scans.duplicates.COMPARED", 7)
    rng = generator(0, "hashes")
    hashes = np.repeat(rng.random((10, HASH_BITS)) < 0.5, 3, axis=0) ^ (rng.random((30, HASH_BITS)) < 0.08)
    digests = [str(number) for number in range(28)] + ["3", "20"]
    names = [f"image_{number}" for number in range(30)]
    pairs = find_pairs(names, Fingerprints(digests, hashes))
    expected = [
        (names[one], names[other], int((hashes[one] != hashes[other]).sum()), digests[one] == digests[other])
        for one in range(30)
        for other in range(one + 1, 30)
        if (hashes[one] != hashes[other]).sum() <= NEAR_BITS or digests[one] == digests[other]
    ]
    assert sorted(pairs.itertuples(index=False, name=None)) == sorted(expected)
    assert pairs["exact"].sum() == 2
    assert find_pairs(names, Fingerprints(digests, hashes), -1)["exact"].tolist() == [True, True]


def test_no_pictures_have_no_pairs():
    none = find_pairs([], Fingerprints([], np.zeros((0, HASH_BITS), bool)))
    assert none.columns.tolist() == ["image", "other", "distance_bits", "exact"]
    assert join_groups(["a", "b"], none) == ["a", "b"]


def test_groups_are_chained_and_called_after_their_first_picture():
    digests = ["1", "2", "1", "3", "2", "3"]
    hashes = np.zeros((6, HASH_BITS), bool)
    hashes[[1, 4], ::2] = True
    hashes[2, :10] = True
    hashes[[3, 5], 1::2] = True
    names = list("fbdace")
    pairs = find_pairs(names, Fingerprints(digests, hashes), 10)
    assert join_groups(names, pairs) == ["f", "b", "f", "a", "b", "a"]


def test_two_classes_for_the_same_pixels():
    found = find_contradicted(["1", "2", "1", "2", "3"], ["yes", "no", "no", "no", "yes"])
    assert found.tolist() == [True, False, True, False, False]


@pytest.mark.parametrize(
    ("folder", "exact", "exact_pairs", "near_pairs", "grouped", "groups"),
    [("brain_mri_2d", 16, 23, 48, 53, 136), ("busi", 0, 0, 2, 4, 90)],
)
def test_duplicates_of_real_collections(real_data, folder, exact, exact_pairs, near_pairs, grouped, groups):
    found = find_scans(real_data / folder)
    names, prints = found["image"].tolist(), take_fingerprints(found["path"])
    pairs = find_pairs(names, prints)
    assert sum(count > 1 for count in Counter(prints.digests).values()) == exact
    assert (pairs["exact"].sum(), len(pairs)) == (exact_pairs, near_pairs)
    sizes = Counter(join_groups(names, pairs)).values()
    assert sum(size for size in sizes if size > 1) == grouped
    assert len(sizes) == groups
    # The gap that the threshold lies in.
    wider = find_pairs(names, prints, 61)
    assert wider["distance_bits"].max() == pairs["distance_bits"].max() <= 28
    assert not find_contradicted(prints.digests, found["class"]).any()
