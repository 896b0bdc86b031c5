import numpy as np
import pandas as pd
import pytest
import torch

from medscale.errors import InputError
from medscale.kits19.prepared_files import PreparedInfo, write_prepared
from medscale.kits19.sample_data import Loading, SampleDataset, files_of_cases, find_form
from medscale.training.batches import EpochBatches

SIZE = 8
KEPT, READ = Loading(memory_gb=1), Loading(memory_gb=0)


def _write(folder, case, slices, size=SIZE, labelled=True, window_hu=(-100.0, 300.0)):
    """A case whose slices are told apart by their values."""
    rng = np.random.default_rng(slices)
    images = rng.integers(0, 256, (slices, size, size), np.uint8)
    labels = rng.integers(0, 3, (slices, size, size), np.uint8)
    info = PreparedInfo(case, images.shape, (3.0, 0.8, 0.8), window_hu, "area")
    pairs = zip(images, labels if labelled else [None] * slices, strict=True)
    write_prepared(folder / f"{case}.h5", info, size, pairs, labelled=labelled)
    return images, labels


@pytest.fixture
def prepared(tmp_path):
    """Files of two cases, and what is in them."""
    content = {
        "case_00000": _write(tmp_path, "case_00000", 6),
        "case_00001": _write(tmp_path, "case_00001", 9),
    }
    return files_of_cases(sorted(tmp_path.iterdir())), content


@pytest.fixture
def slices():
    """Slices in no order, one of them three times an epoch."""
    return pd.DataFrame(
        {
            "case": ["case_00001", "case_00000", "case_00001", "case_00000"],
            "slice": [7, 5, 0, 2],
            "kidney_px": 1,
            "tumour_px": 0,
            "repeats": [1, 1, 3, 1],
        }
    )


@pytest.fixture
def blocks():
    """Blocks of 4 slices that overlap; one of them goes beyond its case."""
    return pd.DataFrame(
        {
            "case": ["case_00000", "case_00001", "case_00000", "case_00001"],
            "first": [0, 5, 4, 3],
            "slices": 4,
            "tumour_px": 0,
            "repeats": [2, 1, 1, 1],
        }
    )


@pytest.mark.parametrize("loading", [KEPT, READ])
def test_slices_come_in_the_order_of_their_numbers(prepared, slices, loading):
    files, content = prepared
    dataset = SampleDataset(slices, files, 0, loading)
    assert dataset.is_in_memory == (loading is KEPT)
    assert len(dataset) == 6
    places = [("case_00001", 7), ("case_00000", 5), *[("case_00001", 0)] * 3, ("case_00000", 2)]
    numbers = [5, 0, 3, 2, 1, 4, 6, 17]
    batch = dataset[numbers]
    assert batch.images.dtype == batch.labels.dtype == torch.uint8
    for place, number in enumerate(numbers):
        case, index = places[number % 6]
        np.testing.assert_array_equal(batch.images[place], content[case][0][index])
        np.testing.assert_array_equal(batch.labels[place], content[case][1][index])


@pytest.mark.parametrize("loading", [KEPT, READ])
def test_blocks_are_whole_pieces_and_padded_behind_their_case(prepared, blocks, loading):
    files, content = prepared
    dataset = SampleDataset(blocks, files, 0, loading)
    assert len(dataset) == 5
    batch = dataset[[0, 1, 2, 3, 4]]
    assert batch.images.shape == batch.labels.shape == (5, 4, SIZE, SIZE)
    places = [("case_00000", 0), ("case_00000", 0), ("case_00001", 5), ("case_00000", 4), ("case_00001", 3)]
    for number, (case, first) in enumerate(places):
        for ours, theirs in zip((batch.images, batch.labels), content[case], strict=True):
            expected = np.zeros((4, SIZE, SIZE), np.uint8)
            present = theirs[first : first + 4]
            expected[: len(present)] = present
            np.testing.assert_array_equal(ours[number], expected)


@pytest.mark.parametrize("loading", [KEPT, READ])
def test_a_share_of_a_batch_may_be_empty(prepared, blocks, loading):
    batch = SampleDataset(blocks, prepared[0], 0, loading)[[]]
    assert batch.images.shape == batch.labels.shape == (0, 4, SIZE, SIZE)
    assert len(batch) == len(batch.seeds) == 0


def test_repeats_and_passes_have_seeds_of_their_own(prepared, slices):
    dataset = SampleDataset(slices, prepared[0], 3, KEPT)
    seeds = dataset[list(range(12))].seeds
    assert len(set(seeds.tolist())) == 12
    np.testing.assert_array_equal(dataset[[7, 2]].seeds, seeds[[7, 2]])
    assert not set(seeds) & set(SampleDataset(slices, prepared[0], 4, KEPT)[list(range(12))].seeds)


@pytest.mark.parametrize("workers", [0, 1])
def test_loaders_give_the_same_batches_with_workers(prepared, blocks, workers):
    dataset = SampleDataset(blocks, prepared[0], 0, Loading(0, workers))
    order = EpochBatches(len(dataset), 2, seed=1, samples_per_epoch=7, numbered=True)
    loaded = list(dataset.load(order))
    expected = [dataset[numbers] for numbers in order]
    assert [len(batch) for batch in loaded] == [2, 2, 2]
    for ours, theirs in zip(loaded, expected, strict=True):
        assert torch.equal(ours.images, theirs.images)
        np.testing.assert_array_equal(ours.seeds, theirs.seeds)


def test_the_form_is_what_all_cases_have_in_common(prepared, slices, blocks):
    form = find_form(slices, prepared[0])
    assert (form.size_px, form.slices, form.dimensions) == (SIZE, None, 2)
    assert (form.window_hu, form.interpolation) == ((-100.0, 300.0), "area")
    assert (find_form(blocks, prepared[0]).slices, find_form(blocks, prepared[0]).dimensions) == (4, 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 4}, "px: 4, 8"),
        ({"window_hu": (-500.0, 500.0)}, "window_hu"),
        ({"labelled": False}, "without labels"),
    ],
)
def test_cases_that_cannot_be_used_together_are_refused(tmp_path, slices, changes, message):
    _write(tmp_path, "case_00000", 6)
    _write(tmp_path, "case_00001", 9, **changes)
    with pytest.raises(InputError, match=message):
        SampleDataset(slices, files_of_cases(tmp_path.glob("*.h5")), 0, KEPT)


def test_tables_that_fit_no_case_are_refused(prepared, slices):
    files, _ = prepared
    with pytest.raises(InputError, match="no rows"):
        SampleDataset(slices.iloc[:0], files, 0, KEPT)
    with pytest.raises(InputError, match="case_00009"):
        SampleDataset(slices.replace("case_00000", "case_00009"), files, 0, KEPT)
    with pytest.raises(InputError, match="9 slices, but samples that begin at slices 0 to 9"):
        SampleDataset(slices.replace({"slice": {7: 9}}), files, 0, KEPT)
