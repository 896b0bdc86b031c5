import numpy as np
import pandas as pd
import pytest
import torch

from medscale.errors import InputError
from medscale.kits19.generated import (
    GeneratorSettings,
    add_generated,
    generate_slices,
    train_generator,
    write_generated,
)
from medscale.kits19.prepared_files import PreparedInfo, read_info, read_slices, write_prepared
from medscale.kits19.sample_data import Loading, SampleDataset, files_of_cases
from medscale.kits19.slices_and_blocks import tabulate_slices
from medscale.networks.registry import build_network
from medscale.training.models import ModelCard, load_model, save_model

CPU = torch.device("cpu")
SIZE, SLICES = 32, 12
SETTINGS = GeneratorSettings(
    network={"name": "dcgan_generator", "width": 4, "noise": 8},
    discriminator={"name": "dcgan_discriminator", "width": 4},
    batch_size=4,
    epochs=2,
    samples_per_epoch=8,
    contest={"loss": "hinge", "learning_rate": 1e-3},
)


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def case(tmp_path):
    """A prepared case and the table of its slices."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (SLICES, SIZE, SIZE), np.uint8)
    labels = rng.integers(0, 3, images.shape, np.uint8)
    info = PreparedInfo("case_00000", images.shape, (3.0, 0.8, 0.8), (-100.0, 300.0), "area")
    path = tmp_path / "cases/case_00000.h5"
    write_prepared(path, info, SIZE, zip(images, labels, strict=True), labelled=True)
    return files_of_cases([path]), tabulate_slices("case_00000", labels).assign(repeats=1)


def _train(folder, case, seed=0):
    files, table = case
    checkpoints = folder / "checkpoints"
    return train_generator(table, files, SETTINGS, seed=seed, device=CPU, checkpoints=checkpoints)


def test_a_generator_comes_back_with_its_card(tmp_path, case):
    generator, card = _train(tmp_path, case)
    save_model(generator, card, tmp_path / "run.safetensors")
    loaded, card = load_model(tmp_path / "run.safetensors", CPU)
    for ours, theirs in zip(
        generate_slices(loaded, 3, 0, CPU), generate_slices(generator, 3, 0, CPU), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    assert card.network == {**SETTINGS.network, "size": SIZE, "classes": 3}
    assert card.inputs["window_hu"] == [-100.0, 300.0]
    assert card.training["samples"] == SLICES
    assert [record["epoch"] for record in card.history] == [1, 2]


def _generator():
    """One whose slices differ, as those of new weights and new statistics do not."""
    generator = build_network("dcgan_generator", 1, size=SIZE, width=4, noise=8)
    for seed, weight in enumerate(generator.parameters()):
        noise = torch.randn(weight.shape, generator=torch.Generator().manual_seed(seed))
        weight.data = 0.3 * noise if weight.ndim > 1 else weight.data
    return generator


def test_trainings_depend_on_their_seed_alone(tmp_path, case):
    states = [
        _train(tmp_path / str(number), case, seed)[0].state_dict() for number, seed in enumerate((3, 3, 4))
    ]
    assert all(torch.equal(states[1][name], value) for name, value in states[0].items())
    assert not torch.equal(states[2]["first.0.weight"], states[0]["first.0.weight"])


def test_generated_slices_depend_on_seed_and_place_alone():
    generator = _generator()
    images, labels = generate_slices(generator, 70, 5, CPU)  # more than one batch
    assert images.shape == labels.shape == (70, SIZE, SIZE)
    assert images.dtype == labels.dtype == np.uint8
    assert labels.max() <= 2
    assert len({image.tobytes() for image in images}) == 70
    fewer, _ = generate_slices(generator, 5, 5, CPU)
    # Sums within a batch of another size may round to the other side.
    assert np.abs(fewer.astype(int) - images[:5]).max() <= 1
    assert not np.array_equal(generate_slices(generator, 5, 6, CPU)[0], fewer)


def test_generated_slices_are_trained_on_like_a_prepared_case(tmp_path, case):
    images, labels = generate_slices(_generator(), 6, 5, CPU)
    card = ModelCard({}, {"window_hu": [-100.0, 300.0], "interpolation": "area"}, {}, [])
    table = write_generated(images, labels, card, tmp_path / "generated.h5")
    first = (tmp_path / "generated.h5").read_bytes()
    write_generated(images, labels, card, tmp_path / "generated.h5")
    assert (tmp_path / "generated.h5").read_bytes() == first
    info = read_info(tmp_path / "generated.h5")
    assert (info.case, info.window_hu, np.isnan(info.spacing_mm).all()) == (
        "generated",
        (-100.0, 300.0),
        True,
    )
    for ours, theirs in zip(read_slices(tmp_path / "generated.h5", range(6)), (images, labels), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert table["tumour_px"].tolist() == [int((part == 2).sum()) for part in labels]
    files, real = case
    files |= files_of_cases([tmp_path / "generated.h5"])
    mixed = SampleDataset(add_generated(real, table, 0.25), files, 0, Loading())
    assert len(mixed) == SLICES + 4
    np.testing.assert_array_equal(mixed[[SLICES + 2]].images[0], images[2])


def test_the_share_counts_repeats():
    real = pd.DataFrame({"case": "case_00000", "slice": [0, 1], "repeats": [1, 5]})
    drawn = pd.DataFrame({"case": "generated", "slice": range(10), "repeats": 1})
    mixed = add_generated(real, drawn, 0.4)
    assert mixed["repeats"].sum() == 10
    assert (mixed["case"] == "generated").sum() == 4
    assert add_generated(real, None, 0.0) is real


@pytest.mark.parametrize(
    ("share", "columns", "drawn", "message"),
    [
        (1.0, {"slice": [0, 1]}, 10, "below 1"),
        (-0.1, {"slice": [0, 1]}, 10, "below 1"),
        (0.5, {"first": [0, 1]}, 10, "0.5 for blocks"),
        (0.5, {"slice": [0, 1]}, 1, "1 generated slices; expected 2"),
        (0.5, {"slice": [0, 1]}, None, "0 generated slices"),
    ],
)
def test_shares_that_cannot_be_had_are_refused(share, columns, drawn, message):
    real = pd.DataFrame({"case": "case_00000", **columns, "repeats": 1})
    generated = drawn and pd.DataFrame({"case": "generated", "slice": range(drawn), "repeats": 1})
    with pytest.raises(InputError, match=message):
        add_generated(real, generated, share)


def test_blocks_and_other_sizes_are_refused(tmp_path, case):
    files, table = case
    blocks = table.rename(columns={"slice": "first"}).assign(slices=2).iloc[:4]
    with pytest.raises(InputError, match="found blocks"):
        _train(tmp_path, (files, blocks))
    images = np.zeros((2, 20, 20), np.uint8)
    info = PreparedInfo("case_00001", images.shape, (3.0, 0.8, 0.8), (-100.0, 300.0), "area")
    write_prepared(tmp_path / "case_00001.h5", info, 20, zip(images, images, strict=True), labelled=True)
    odd = tabulate_slices("case_00001", images).assign(repeats=1)
    with pytest.raises(InputError, match="20"):
        _train(tmp_path, (files_of_cases([tmp_path / "case_00001.h5"]), odd))
