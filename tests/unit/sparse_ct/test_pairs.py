import numpy as np
import pytest

from medscale.errors import InputError
from medscale.sparse_ct.images import CtImage, write_image
from medscale.sparse_ct.pairs import PairDataset, Sizing

WINDOW_HU = (-1000.0, 2000.0)


def write(path, slices=2, size=40, offset=0.0):
    """Slices whose values tell slice, row and column."""
    number, row, column = np.indices((slices, size, size))
    hu = -1000 + 1000 * number + 10 * row + 0.1 * column + offset
    write_image(CtImage.of_slices(hu.astype(np.float32), 1.0), path)
    return path


@pytest.fixture
def files(tmp_path):
    return [write(tmp_path / "fbp.nii", offset=5.0)], [write(tmp_path / "original.nii")]


def read_hu(images):
    return images[:, 0].numpy() * 3000 - 1000


def test_crops_are_the_same_place_of_both_images(files):
    batch = PairDataset(*files, WINDOW_HU, Sizing("crop", 16), seed=1)[[0, 1, 2, 3]]
    assert batch.inputs.shape == batch.targets.shape == (4, 1, 16, 16)
    assert np.allclose(read_hu(batch.inputs) - read_hu(batch.targets), 5, atol=1e-3)


def test_each_pass_crops_elsewhere_and_repeatably(files):
    dataset = PairDataset(*files, WINDOW_HU, Sizing("crop", 16), seed=1)
    passes = [read_hu(dataset[[number]].targets)[0] for number in range(0, 20, 2)]
    corners = {(round(float(image[0, 0]), 1)) for image in passes}
    assert len(corners) > 5
    again = PairDataset(*files, WINDOW_HU, Sizing("crop", 16), seed=1)
    assert np.array_equal(read_hu(again[[6]].targets)[0], passes[3])
    other = PairDataset(*files, WINDOW_HU, Sizing("crop", 16), seed=2)
    assert not np.array_equal(read_hu(other[[6]].targets)[0], passes[3])


def test_crops_reach_every_part_of_the_slice(files):
    dataset = PairDataset(*files, WINDOW_HU, Sizing("crop", 39), seed=0)
    rows = {
        round(float(read_hu(dataset[[2 * number]].targets)[0, 0, 0] + 1000) // 10) for number in range(20)
    }
    assert rows == {0, 1}


def test_a_crop_as_large_as_the_slice_is_the_slice(files):
    batch = PairDataset(*files, WINDOW_HU, Sizing("crop", 40), seed=1)[[1]]
    assert read_hu(batch.targets)[0, 3, 7] == pytest.approx(-1000 + 1000 + 30 + 0.7, abs=1e-3)


def test_resized_slices_keep_their_mean_and_pass_nothing_by(files):
    dataset = PairDataset(*files, WINDOW_HU, Sizing("resize", 20), seed=1)
    first, again = dataset[[0]], dataset[[2]]
    assert first.targets.shape == (1, 1, 20, 20)
    assert np.array_equal(first.targets, again.targets)
    assert read_hu(first.targets).mean() == pytest.approx(-1000 + 10 * 19.5 + 1.95, abs=0.01)


def test_crops_larger_than_an_image_are_refused_before_training(files):
    with pytest.raises(InputError, match=r"original.nii: found slices of 40 x 40.*at least 64, the crop"):
        PairDataset(*files, WINDOW_HU, Sizing("crop", 64), seed=1)


def test_pairs_that_do_not_fit_are_refused(files, tmp_path):
    other = write(tmp_path / "other.nii", slices=3)
    with pytest.raises(InputError, match=r"fbp.nii: found 2 slices of 40.*3 slices of 40"):
        PairDataset(files[0], [other], WINDOW_HU, Sizing("crop", 16), seed=1)
