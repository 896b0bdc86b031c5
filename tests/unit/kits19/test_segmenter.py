import json

import numpy as np
import pandas as pd
import pytest
import torch

from medscale.errors import InputError
from medscale.files.tables import write_json, write_table
from medscale.kits19.prepared_files import PreparedInfo, write_prepared
from medscale.kits19.sample_data import Loading, files_of_cases
from medscale.kits19.segmenter import SegmenterSettings, SegmenterTables, train_segmenter
from medscale.kits19.slices_and_blocks import Balancing, choose_slices, cut_blocks, tabulate_slices
from medscale.training.models import load_model, save_model

CPU = torch.device("cpu")
SIZE, SLICES, DEPTH = 16, 10, 4
WEIGHTS = [0.4, 3.0, 12.0]
SETTINGS = {
    "network": {"name": "unet2d", "width": 4, "norm_momentum": 0.1},
    "batch_size": 4,
    "epochs": 3,
    "samples_per_epoch": None,
    "optimisation": {"learning_rate": 0.01},
    "loss": {"name": "weighted_dice"},
    "warmup_epochs": 1,
    "plateau": {"patience": 1, "factor": 0.9},
    "augmentation": {"shift": 0.05},
}
BLOCKS = {"network": {"name": "unet3d", "width": 2, "norm_momentum": 0.1}, "batch_size": 2}


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def _draw(seed):
    """A bright kidney in the middle slices, with a brighter tumour."""
    rng = np.random.default_rng(seed)
    z, y, x = np.mgrid[:SLICES, :SIZE, :SIZE]
    away = np.sqrt((z - 5) ** 2 + (y - rng.uniform(6, 10)) ** 2 + (x - rng.uniform(6, 10)) ** 2)
    labels = (away < 4).astype(np.uint8) + (away < 1.8)
    return (60 + 60 * labels + rng.integers(0, 40, labels.shape)).astype(np.uint8), labels


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    """Files of three patients, and the tables of all their slices."""
    folder, tables = tmp_path_factory.mktemp("cases"), {}
    for number in range(3):
        case, (images, labels) = f"case_{number:05d}", _draw(number)
        info = PreparedInfo(case, images.shape, (3.0, 0.8, 0.8), (-100.0, 300.0), "area")
        pairs = zip(images, labels, strict=True)
        write_prepared(folder / f"{case}.h5", info, SIZE, pairs, labelled=True)
        tables[case] = tabulate_slices(case, labels)
    return files_of_cases(folder.glob("*.h5")), tables


def _tables(cases, depth=None):
    everything = list(cases[1].values())
    train, watched = pd.concat(everything[:2]), everything[2]
    training, all_of_it = Balancing(True, 2), Balancing(False, 0)
    if depth:
        return SegmenterTables(
            cut_blocks(train, depth, 2, training), cut_blocks(watched, depth, 0, all_of_it), WEIGHTS
        )
    return SegmenterTables(choose_slices(train, training), choose_slices(watched, all_of_it), WEIGHTS)


def _train(folder, cases, tables=None, loading=None, seed=0, **changes):
    return train_segmenter(
        tables or _tables(cases),
        cases[0],
        SegmenterSettings(**(SETTINGS | changes)),
        seed=seed,
        device=CPU,
        checkpoints=folder / "checkpoints",
        loading=loading or Loading(),
    )


def _bytes(folder, network, card):
    save_model(network, card, folder / "run.safetensors")
    return [(folder / f"run.{suffix}").read_bytes() for suffix in ("safetensors", "json")]


def test_the_same_seed_gives_the_same_bytes_however_samples_are_loaded(tmp_path, cases):
    first = _bytes(tmp_path, *_train(tmp_path / "first", cases))
    assert _bytes(tmp_path, *_train(tmp_path / "again", cases, loading=Loading(memory_gb=0))) == first
    other = _bytes(tmp_path, *_train(tmp_path / "other", cases, seed=1))
    assert all(one != two for one, two in zip(first, other, strict=True))


def test_a_card_says_what_a_network_takes_and_how_it_was_trained(tmp_path, cases):
    network, card = _train(tmp_path, cases)
    save_model(network, card, tmp_path / "run.safetensors")
    loaded, card = load_model(tmp_path / "run.safetensors", CPU)
    images = torch.rand(1, 1, SIZE, SIZE)
    # The trained one has its channels last in memory, and sums in another order.
    torch.testing.assert_close(loaded(images), network.eval()(images), atol=1e-4, rtol=1e-4)
    assert card.network == SETTINGS["network"]
    assert card.inputs == {
        "classes": ["background", "kidney", "tumour"],
        "dimensions": 2,
        "size_px": SIZE,
        "slices": None,
        "window_hu": [-100.0, 300.0],
        "interpolation": "area",
    }
    assert card.training["loss"] == {"name": "weighted_dice"}
    assert card.training["class_weights"] == WEIGHTS
    assert card.training["samples"] == _tables(cases).train["repeats"].sum()
    assert "network" not in card.training
    assert [record["epoch"] for record in card.history] == [1, 2, 3]
    assert json.loads((tmp_path / "run.json").read_text())["training"]["plateau"]["factor"] == 0.9


def test_a_network_finds_the_kidney_of_another_patient(tmp_path, cases):
    falling = {"learning_rate": 0.01, "schedule": "cosine"}
    _, card = _train(tmp_path, cases, epochs=30, augmentation=None, plateau=None, optimisation=falling)
    last = card.history[-1]
    assert last["validation_dice_kidney"] > 0.7
    assert last["validation_weighted_jaccard"] > 0.5
    assert last["validation_loss"] < 0.5 * card.history[0]["validation_loss"]


def test_blocks_train_a_network_for_volumes(tmp_path, cases):
    tables = _tables(cases, DEPTH)
    _, card = _train(tmp_path, cases, tables, **BLOCKS, samples_per_epoch=6)
    assert (card.inputs["dimensions"], card.inputs["slices"]) == (3, DEPTH)
    assert "validation_dice_tumour" in card.history[-1]


def test_half_precision_of_blocks_is_refused_without_a_gpu(tmp_path, cases):
    with pytest.raises(InputError, match="float32"):
        _train(tmp_path, cases, _tables(cases, DEPTH), **BLOCKS, precision="bfloat16")


def test_an_empty_table_of_validation_is_watched_by_nobody(tmp_path, cases):
    tables = _tables(cases)
    tables = SegmenterTables(tables.train, tables.validation.iloc[:0], WEIGHTS)
    _, card = _train(tmp_path, cases, tables)
    assert "validation_loss" not in card.history[-1]


def test_generated_slices_are_added(tmp_path, cases):
    """A case of its own stands for what a generator drew."""
    tables = _tables(cases)
    generated = tables.train[tables.train["case"] == "case_00001"].assign(repeats=1)
    mixed = SegmenterTables(
        tables.train[tables.train["case"] == "case_00000"], tables.validation, WEIGHTS, generated
    )
    real = int(mixed.train["repeats"].sum())
    _, card = _train(tmp_path / "mixed", cases, mixed, generated_share=0.25)
    assert card.training["samples"] == real + round(real / 3)
    _, card = _train(tmp_path / "real", cases, mixed)
    assert card.training["samples"] == real


def test_networks_that_do_not_fit_the_samples_are_refused(tmp_path, cases):
    with pytest.raises(InputError, match="unet3d, a network for blocks of slices"):
        _train(tmp_path, cases, network=BLOCKS["network"])
    with pytest.raises(InputError, match="unet2d, a network for slices"):
        _train(tmp_path, cases, _tables(cases, DEPTH))
    with pytest.raises(InputError, match="'resnet10'; expected one of unet2d"):
        _train(tmp_path, cases, network={"name": "resnet10"})


@pytest.mark.parametrize(("depth", "weights"), [(None, [1.0, 2.0, 3.0]), (DEPTH, [4.0, 5.0, 6.0])])
def test_tables_are_read_with_the_weights_of_their_kind(tmp_path, cases, depth, weights):
    tables = _tables(cases, depth)
    for name in ("train", "validation"):
        write_table(getattr(tables, name), tmp_path / f"{name}.csv")
    of_kinds = {"slices": {"class_weights": [1.0, 2.0, 3.0]}, "blocks": {"class_weights": [4.0, 5.0, 6.0]}}
    write_json(of_kinds, tmp_path / "weights.json")
    paths = [tmp_path / name for name in ("train.csv", "validation.csv", "weights.json")]
    read = SegmenterTables.read(*paths)
    pd.testing.assert_frame_equal(read.train, tables.train)
    pd.testing.assert_frame_equal(read.validation, tables.validation)
    assert (read.class_weights, read.generated) == (weights, None)
    assert len(SegmenterTables.read(*paths, tmp_path / "train.csv").generated) == len(tables.train)
