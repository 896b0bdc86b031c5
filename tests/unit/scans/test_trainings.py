"""The trainings that a configuration asks for."""

import pytest
import yaml

from medscale.errors import InputError
from medscale.scans.image_classifier import ClassifierSettings
from medscale.scans.mask_segmenter import SegmenterSettings
from medscale.scans.trainings import (
    by_training,
    describe_classifiers,
    describe_conventional,
    describe_segmenters,
    describe_volumes,
    rows_of,
    runs_of,
    seed_of_run,
)
from medscale.scans.volume_classifier import VolumeSettings


@pytest.fixture
def scans(root):
    return yaml.safe_load((root / "tests/tiny.yaml").read_text())["scans"]


@pytest.fixture
def whole(root, scans):
    """The demo's configuration with the tiny one laid over it."""

    def merge(base, overlay):
        merged = {k: merge(base[k] or {}, v) if isinstance(v, dict) else v for k, v in overlay.items()}
        return {**base, **merged}

    return merge(yaml.safe_load((root / "config.yaml").read_text())["scans"], scans)


def test_each_part_of_the_study_has_its_trainings(whole):
    classifiers = describe_classifiers(whole)
    assert {name: one.group for name, one in classifiers.items()} == {
        "brain_mri": "classification",
        "brain_mri_unguarded": "classification",
        "breast_ultrasound": "classification",
        "googlenet": "architectures",
        "googlenet_without_auxiliary": "architectures",
        "googlenet_0.5": "data_sizes",
        "breast_ultrasound_80px": "image_sizes",
    }
    assert not classifiers["brain_mri_unguarded"].guarded
    assert classifiers["breast_ultrasound_80px"].size_px == 80
    for training in classifiers.values():
        ClassifierSettings(**training.settings)


def test_fewer_images_are_shown_for_more_epochs(whole):
    classifiers = describe_classifiers(whole)
    epochs = [classifiers[name].settings["epochs"] for name in ("googlenet", "googlenet_0.5")]
    assert epochs == [2, 4]
    assert classifiers["googlenet_0.5"].share == 0.5


def test_each_loss_is_trained_plain_and_aided(whole):
    whole["segmentation"]["losses"] = ["bce", "dice"]
    outliners = describe_segmenters(whole)
    assert list(outliners) == [
        *(f"unet_{loss}_{aid}" for loss in ("bce", "dice") for aid in ("plain", "aided")),
        "unet_dice_plain_80px",
    ]
    for training in outliners.values():
        assert SegmenterSettings(**training.settings).loss == training.loss


def test_methods_stand_beside_networks_of_the_same_shares(whole):
    methods = describe_conventional(whole)
    assert {name: (one.network, one.share) for name, one in methods.items()} == {
        "logistic_regression": ("logistic_regression", 1.0),
        "logistic_regression_0.5": ("logistic_regression", 0.5),
    }


def test_volumes_have_their_settings(whole):
    assert VolumeSettings(**describe_volumes(whole["volumes"])).optimisation["learning_rate"] == 0.001
    assert describe_volumes(None) == {}


def test_parts_may_be_left_out(whole):
    whole |= dict.fromkeys(("segmentation", "architectures", "data_sizes", "image_sizes"))
    whole["collections"]["brain_mri"] = None
    assert list(describe_classifiers(whole)) == ["breast_ultrasound"]
    assert describe_segmenters(whole) == describe_conventional(whole) == {}


def test_without_outlines_nothing_is_outlined(whole):
    whole["collections"]["breast_ultrasound"] = None
    assert describe_segmenters(whole) == {}


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        ("architectures", {"collection": "lungs"}, "scans.architectures.collection: found 'lungs'"),
        ("image_sizes", {"collection": "lungs"}, "scans.image_sizes.collection: found 'lungs'"),
        ("data_sizes", {"networks": ["lenet5"]}, "scans.data_sizes.networks: found 'lenet5'"),
        ("architectures", {"networks": [{"name": "strided_cnn"}]}, "found 'strided_cnn' twice"),
    ],
)
def test_what_fits_nothing_is_refused(whole, part, change, message):
    whole[part] |= change
    with pytest.raises(InputError, match=message):
        describe_classifiers(whole)


def test_data_sizes_need_networks_to_compare(whole):
    whole["architectures"] = None
    with pytest.raises(InputError, match="the networks that data_sizes compares"):
        describe_classifiers(whole)


def test_what_belongs_to_runs_is_found_by_training(whole):
    trainings = list(describe_classifiers(whole).values())[:2]
    assert runs_of(trainings) == [("brain_mri", 0), ("brain_mri_unguarded", 0)]
    assert by_training(trainings, ["a", "b"]) == {"brain_mri": ["a"], "brain_mri_unguarded": ["b"]}
    assert rows_of(trainings)[0]["name"] == "brain_mri"
    assert seed_of_run(20, 0) != seed_of_run(20, 1)
