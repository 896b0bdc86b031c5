import h5py
import numpy as np
import pytest

from medscale.errors import InputError
from medscale.scans.outline_files import read_probabilities, write_probabilities

VALUES = np.random.default_rng(0).integers(0, 256, (3, 8, 8), np.uint8)
NAMES = ["b_2", "a-1", "c"]


def test_what_was_written_is_read_by_name(tmp_path):
    write_probabilities(tmp_path / "a.h5", NAMES, VALUES)
    read = read_probabilities(tmp_path / "a.h5")
    assert list(read) == NAMES
    for name, values in zip(NAMES, VALUES, strict=True):
        assert read[name].dtype == np.uint8
        np.testing.assert_array_equal(read[name], values)


def test_the_bytes_repeat_and_outlines_take_little_room(tmp_path):
    empty = np.zeros((3, 256, 256), np.uint8)
    for name in ("a.h5", "b.h5"):
        write_probabilities(tmp_path / name, NAMES, empty)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    assert (tmp_path / "a.h5").stat().st_size < 10_000


def test_no_images_are_a_file_too(tmp_path):
    write_probabilities(tmp_path / "a.h5", [], np.zeros((0, 8, 8), np.uint8))
    assert read_probabilities(tmp_path / "a.h5") == {}


def test_names_and_images_must_be_as_many(tmp_path):
    with pytest.raises(ValueError, match="2 names for 3 images"):
        write_probabilities(tmp_path / "a.h5", NAMES[:2], VALUES)
    assert list(tmp_path.iterdir()) == []


def test_files_of_something_else_are_explained(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["images"] = VALUES
    for path in (tmp_path / "other.h5", tmp_path / "nothing.h5"):
        with pytest.raises(InputError, match=r"found no outlined tumours.*as outline_tumours writes it"):
            read_probabilities(path)
