import numpy as np
import pytest
import torch

from medscale.errors import InputError
from medscale.scans.image_classifier import ClassifierSettings, classify_images, train_image_classifier
from medscale.scans.prepared_images import PreparedImages
from medscale.training.models import load_model, save_model
from tests.unit.scans.prepared_scans import RADII, SIZE, draw_scans

CPU = torch.device("cpu")
CLASSES = list(RADII)
SETTINGS = {
    "network": {"name": "lenet5"},
    "batch_size": 4,
    "epochs": 2,
    "samples_per_epoch": None,
    "optimisation": {"optimiser": "adamw", "learning_rate": 0.002, "weight_bound": 5.0},
    "augmentation": None,
}


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def _train(folder, scans=None, classes=CLASSES, share=1.0, seed=0, **changes):
    images, sheet = scans or draw_scans()
    settings = ClassifierSettings(**(SETTINGS | changes))
    return train_image_classifier(
        images,
        sheet,
        classes,
        settings,
        share=share,
        seed=seed,
        device=CPU,
        checkpoints=folder / "checkpoints",
    )


def _bytes(folder, network, card):
    save_model(network, card, folder / "run.safetensors")
    return [(folder / f"run.{suffix}").read_bytes() for suffix in ("safetensors", "json")]


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    augmented = {"augmentation": {"flip": True}, "network": {"name": "resnet10", "width": 4}}
    first = _bytes(tmp_path, *_train(tmp_path, **augmented))
    assert _bytes(tmp_path, *_train(tmp_path, **augmented)) == first
    for changes in ({"seed": 1}, {"augmentation": None}, {"share": 0.5}):
        other = _bytes(tmp_path, *_train(tmp_path, **(augmented | changes)))
        assert all(one != two for one, two in zip(first, other, strict=True))


def test_a_card_says_what_a_network_takes_and_how_it_was_trained(tmp_path):
    _, card = _train(tmp_path, share=0.5, seed=3)
    assert card.network == {"name": "lenet5", "outputs": 3, "channels_in": 1, "size_px": SIZE}
    assert card.inputs == {"classes": CLASSES, "size_px": SIZE}
    # Half of the 4 training images a class.
    assert card.training["samples"] == 6
    assert (card.training["share"], card.training["seed"]) == (0.5, 3)
    assert card.training["optimisation"] == SETTINGS["optimisation"]
    assert "network" not in card.training
    assert [record["epoch"] for record in card.history] == [1, 2]
    assert set(card.history[0]) == {
        *("epoch", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
    }


def test_classes_are_learnt_and_told_in_other_images(tmp_path):
    images, sheet = scans = draw_scans(16)
    network, card = _train(tmp_path, scans, epochs=25)
    table = classify_images(network, card, images, sheet, CPU)
    assert table["image"].tolist() == sheet["image"].tolist()
    right = table["predicted"] == table["class"]
    assert right[table["split"] == "test"].mean() >= 0.8
    assert right[table["split"] == "train"].mean() >= 0.9
    probabilities = table[[f"p_{label}" for label in CLASSES]].to_numpy()
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    assert table["predicted"].tolist() == [CLASSES[number] for number in probabilities.argmax(axis=1)]


def test_a_saved_network_says_the_same(tmp_path):
    images, sheet = draw_scans()
    network, card = _train(tmp_path, network={"name": "resnet10", "width": 4})
    save_model(network, card, tmp_path / "run.safetensors")
    ours = classify_images(network, card, images, sheet, CPU)
    loaded = classify_images(*load_model(tmp_path / "run.safetensors", CPU), images, sheet, CPU)
    assert ours.equals(loaded)


def test_images_of_the_test_are_not_looked_at(tmp_path):
    images, sheet = draw_scans()
    spoilt = images.images.copy()
    spoilt[(sheet["split"] == "test").to_numpy()] = 255
    others = PreparedImages(images.names, spoilt, images.masks, images.shapes)
    first = _bytes(tmp_path, *_train(tmp_path, (images, sheet)))
    assert _bytes(tmp_path, *_train(tmp_path, (others, sheet))) == first


def test_images_of_validation_choose_nothing(tmp_path):
    images, sheet = draw_scans()
    watched, _ = _train(tmp_path, (images, sheet))
    unwatched, card = _train(tmp_path, (images, sheet[sheet["split"] != "validation"]))
    assert "validation_loss" not in card.history[0]
    for one, other in zip(watched.state_dict().values(), unwatched.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_auxiliary_heads_learn_and_say_nothing_in_prediction(tmp_path):
    images, sheet = draw_scans()
    network, card = _train(tmp_path, network={"name": "googlenet", "width": 8}, epochs=1)
    assert any(name.startswith("aux") for name in network.state_dict())
    assert np.isfinite(classify_images(network, card, images, sheet, CPU)["p_normal"]).all()


def test_two_classes_are_two_outputs(tmp_path):
    scans = draw_scans(classes=("normal", "malignant"))
    network, card = _train(tmp_path, scans, ["normal", "malignant"])
    table = classify_images(network, card, *scans, CPU)
    assert table.columns.tolist()[-2:] == ["p_normal", "p_malignant"]


def test_what_cannot_be_trained_is_explained(tmp_path):
    images, sheet = draw_scans()
    with pytest.raises(InputError, match="found class malignant; expected one of normal, benign"):
        _train(tmp_path, classes=["normal", "benign"])
    with pytest.raises(InputError, match=r"network\.size_px: found 32; expected at least 43"):
        _train(tmp_path, network={"name": "strided_cnn"})
    with pytest.raises(InputError, match="the share of training images"):
        _train(tmp_path, share=0)
    fewer = PreparedImages(images.names[1:], images.images[1:], images.masks[1:], images.shapes[1:])
    with pytest.raises(InputError, match="image normal_0: found no prepared image"):
        _train(tmp_path, (fewer, sheet))
    network, card = _train(tmp_path, epochs=1)
    smaller = PreparedImages(images.names, images.images[:, ::2, ::2], images.masks, images.shapes)
    with pytest.raises(InputError, match="found 16 pixels a side"):
        classify_images(network, card, smaller, sheet, CPU)
