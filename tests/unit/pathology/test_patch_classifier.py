import json
import re

import numpy as np
import pandas as pd
import pytest
import torch

from medscale.errors import InputError
from medscale.pathology.patch_classifier import TrainingSettings, train_classifier
from medscale.pathology.patch_data import SlideFiles
from medscale.phantoms.slide_files import write_pyramid
from medscale.training.batch_schedules import parse_schedule

CPU = torch.device("cpu")
EPOCHS = 4


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    path = tmp_path_factory.mktemp("slides") / "slide.tif"
    pixels = np.random.default_rng(0).integers(0, 255, (256, 512, 3), dtype=np.uint8)
    pixels[:, 256:] //= 2
    write_pyramid(pixels, path, 2.0, 90)
    return SlideFiles({"slide": path})


@pytest.fixture(scope="module")
def manifest():
    x, y = (places.ravel() for places in np.meshgrid(np.arange(0, 512, 32), np.arange(0, 256, 32)))
    table = pd.DataFrame({"slide": "slide", "x": x, "y": y, "size_px": 32, "mpp": 2.0})
    return table.assign(label=(x >= 256).astype(int), augmentation=x // 32 % 8, seed=np.arange(len(x)))


def _train(folder, files, manifest, schedule):
    settings = TrainingSettings(
        network={"name": "resnet10", "width": 4},
        batch_schedule=schedule,
        epochs=EPOCHS,
        samples_per_epoch=48,
        optimisation={"optimiser": "adam", "learning_rate": 0.003, "schedule": "cosine"},
        augmentation={"dihedral": True},
        validation_patches=20,
        memory_gb=1.0,
        loader_workers=0,
    )
    return train_classifier(
        manifest,
        manifest,
        files,
        settings,
        seed=1,
        device=CPU,
        checkpoints=folder / schedule.replace("/", "_"),
    )


def test_the_card_says_how_to_feed_the_network_and_how_it_was_trained(tmp_path, files, manifest):
    network, card = _train(tmp_path, files, manifest, "fixed/16")
    assert card.inputs == {
        "classes": ["tumour"],
        "size_px": 32,
        "um_px": 2.0,
        "mean": [0.485, 0.456, 0.406],
        "spread": [0.229, 0.224, 0.225],
    }
    assert network.eval()(torch.zeros(1, 3, 32, 32)).shape == (1, 1)
    assert card.training["batch_schedule"] == "fixed/16"
    assert card.history[-1]["train_loss"] < card.history[0]["train_loss"]


def test_batches_can_grow(tmp_path, files, manifest):
    _, fixed = _train(tmp_path, files, manifest, "fixed/8")
    _, grown = _train(tmp_path, files, manifest, "t32/8-16")
    # The cosine knows how many steps there will be, so that the courses part from the first epoch on.
    assert [record["epoch"] for record in grown.history if "validation_loss" in record] == [1, 2, 3, 4]
    assert grown.history[-1] != fixed.history[-1]


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        *(
            ("fixed/32", True),
            ("fixed/2", True),
            ("t31/8-16-32", True),
            ("t31/8-32", True),
            ("t32/32-128", True),
        ),
        *(("fixed/1", False), ("t32/1-64", False), ("fixed/8-16", False), ("t32/8-16-32", False)),
        *(("fixed/08", False), ("t31/8-16-32-64", False), ("32", False), ("adaptive/8", False)),
    ],
)
def test_the_schema_allows_the_schedules_that_can_be_read(root, name, allowed):
    """A batch of one is left out: batch norm may see a single value a channel."""
    schema = json.loads((root / "schemas/config.schema.json").read_text())
    training = schema["properties"]["pathology"]["properties"]["training"]["properties"]
    assert bool(re.search(training["batch_schedule"]["pattern"], name)) == allowed
    if allowed:
        parse_schedule(name, 100)


def test_a_schedule_that_the_epochs_cannot_hold_is_refused_before_training(tmp_path, files, manifest):
    with pytest.raises(InputError, match="found 4 epochs"):
        _train(tmp_path, files, manifest, "t32/4-64")
