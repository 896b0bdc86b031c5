import pytest
import torch

from medscale.errors import InputError
from medscale.networks.registry import build_network
from medscale.training.models import ModelCard, load_model, save_model

CPU = torch.device("cpu")


def _save(path):
    network = build_network("resnet10", 1, width=4, outputs=1)
    card = ModelCard(
        network={"name": "resnet10", "width": 4, "outputs": 1},
        inputs={"classes": ["tumour"], "size_px": 64, "um_px": 2.0},
        training={"epochs": 1},
        history=[{"epoch": 1, "train_loss": 0.5}],
    )
    save_model(network, card, path)
    return network.eval(), card


def test_a_model_comes_back_as_it_was(tmp_path):
    network, card = _save(tmp_path / "run.safetensors")
    loaded, loaded_card = load_model(tmp_path / "run.safetensors", CPU)
    images = torch.randn(2, 3, 64, 64)
    assert torch.equal(loaded(images), network(images))
    assert loaded_card == card


def test_damaged_or_mixed_files_are_refused(tmp_path):
    path = tmp_path / "run.safetensors"
    _save(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="cannot be loaded"):
        load_model(path, CPU)
    _save(path)
    card = path.with_suffix(".json")
    card.write_text(card.read_text().replace('"width": 4', '"width": 8'))
    with pytest.raises(InputError, match="cannot be loaded"):
        load_model(path, CPU)
    card.unlink()
    with pytest.raises(InputError, match="JSON card beside them"):
        load_model(path, CPU)
