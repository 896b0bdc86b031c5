"""Trained networks on disk: weights as safetensors, everything else as JSON beside them."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from medscale.errors import InputError
from medscale.files.atomic import atomic_path
from medscale.files.tables import read_json, write_json
from medscale.networks.registry import build_network


@dataclass
class ModelCard:
    """What must be known to use a network's weights.

    Attributes
    ----------
    network : dict
        `name` and the settings that `build_network` takes.
    inputs : dict
        What must be known to feed the network and to read its outputs, such as size, resolution, and
        normalisation of the images, and the names of the outputs; units in the names.
    training : dict
        Configuration of the training.
    history : list of dict
        One record an epoch.
    """

    network: dict[str, Any]
    inputs: dict[str, Any]
    training: dict[str, Any]
    history: list[dict[str, float]]


def save_model(network: nn.Module, card: ModelCard, weights_path: str | Path) -> None:
    """Write `{run}.safetensors` and, beside it, `{run}.json`."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    with atomic_path(weights_path) as temporary:
        save_file(tensors, temporary)
    write_json(asdict(card), Path(weights_path).with_suffix(".json"))


def load_model(weights_path: str | Path, device: torch.device) -> tuple[nn.Module, ModelCard]:
    """Return the network that `save_model` wrote, ready to predict on `device`, and its card.

    Raises
    ------
    InputError
        If either file is damaged, or the two do not belong together.
    """
    try:
        card = ModelCard(**read_json(Path(weights_path).with_suffix(".json")))
        network = build_network(seed=0, **card.network)
        network.load_state_dict(load_file(weights_path))
    except (OSError, ValueError, TypeError, RuntimeError, SafetensorError) as error:
        raise InputError(
            weights_path,
            f"a model that cannot be loaded ({str(error).splitlines()[0]})",
            "weights and the JSON card beside them, both of one training",
            "Delete both files and run again.",
        ) from error
    return network.to(device).eval(), card
