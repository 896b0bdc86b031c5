"""Which trainings a configuration asks for."""

import copy

import pytest
import yaml

from medscale.errors import InputError
from medscale.kits19.balancing import SampleSettings
from medscale.kits19.segmenter import SegmenterSettings
from medscale.kits19.trainings import (
    NETWORKS_OF_BLOCKS,
    describe_samples,
    describe_trainings,
    describe_variants,
)
from medscale.networks.registry import SEGMENTERS


@pytest.fixture(scope="module")
def shipped(root):
    return yaml.safe_load((root / "config.yaml").read_text())["kits19"]


@pytest.fixture
def section(shipped):
    return copy.deepcopy(shipped)


def variant(section, **changes):
    section["study"]["variants"] = [{"name": "changed", **changes}]
    return describe_variants(section)["changed"]


def test_every_training_of_the_shipped_configuration_can_be_built(shipped):
    trainings = describe_trainings(shipped) | describe_variants(shipped)
    for training in trainings.values():
        SegmenterSettings(**training.settings)
        assert training.samples in describe_samples(shipped)
    for samples in describe_samples(shipped).values():
        SampleSettings(**samples)


def test_a_network_gets_its_own_settings_and_the_common_ones(section):
    entry = next(entry for entry in section["networks"] if entry["name"] == "unet3d")
    training = describe_trainings(section)["unet3d"]
    assert training.kind == "blocks"
    assert training.settings["network"] == {"name": "unet3d", **entry["settings"]}
    assert training.settings["optimisation"]["learning_rate"] == entry["learning_rate"]
    assert training.settings["loss"] == section["training"]["loss"]
    assert training.runs == [{"network": "unet3d", "seed": 0}, {"network": "unet3d", "seed": 1}]


def test_a_variant_changes_what_it_names_and_nothing_else(section):
    base = describe_trainings(section)[section["study"]["network"]].settings
    changed = variant(section, loss={"name": "focal"}, learning_rate=0.5, settings={"batch_norm": False})
    assert changed.settings["loss"] == {"name": "focal"}
    assert changed.settings["optimisation"] == base["optimisation"] | {"learning_rate": 0.5}
    assert changed.settings["network"] == base["network"] | {"batch_norm": False}
    assert changed.settings["samples_per_epoch"] == section["study"]["samples_per_epoch"]
    other = {"loss", "optimisation", "network", "samples_per_epoch"}
    assert {k: v for k, v in changed.settings.items() if k not in other} == {
        k: v for k, v in base.items() if k not in other
    }
    assert changed.samples == "train"


def test_a_variant_of_balancing_has_samples_of_its_own(section):
    assert variant(section, balancing={"drop_background": False}).samples == "changed"
    samples = describe_samples(section)
    assert samples["changed"] == section["balancing"] | {"drop_background": False}
    assert samples["validation"]["repeat_tumours"] == 0
    assert samples["train"] == section["balancing"]


@pytest.mark.parametrize("name", ["unet2d", "train", "validation"])
def test_a_variant_may_not_take_a_name_that_means_something_else(section, name):
    section["study"]["variants"] = [{"name": name}]
    with pytest.raises(InputError, match="twice"):
        describe_variants(section)


def test_networks_that_are_not_compared_are_refused(section):
    section["networks"] = [entry for entry in section["networks"] if entry["name"] != "unet2d"]
    with pytest.raises(InputError, match=r"study\.network"):
        describe_variants(section)
    with pytest.raises(InputError, match="missed_by"):
        describe_trainings(section)


def test_networks_of_blocks_are_those_of_three_dimensions():
    assert set(NETWORKS_OF_BLOCKS) == {name for name, kind in SEGMENTERS.items() if kind.dimensions == 3}
