"""Networks for grey images: built for a collection, and applied to it."""

import inspect
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from medscale.errors import InputError
from medscale.networks.registry import NETWORKS
from medscale.scans.prepared_images import PreparedImages
from medscale.training.models import ModelCard

# A batch of prediction: so many images at most, and so many pixels, which bounds memory for large ones.
PREDICTED_IMAGES, PREDICTED_PX = 64, 64 * 128 * 128
BRIGHTEST = 255


def complete_network(network: dict[str, Any], known: Collection[str], **needed: Any) -> dict[str, Any]:
    """Return the name and settings of a network with those that the images ask for.

    Parameters
    ----------
    network : dict
        `name` and settings of the configuration.
    known : collection of str
        Names of networks for this task.
    needed
        Settings that follow from the data. `size_px` and `output` are left out where a network has no such
        parameter.

    Raises
    ------
    InputError
        If the network is none of the known ones.
    """
    name = network.get("name")
    if name not in known:
        raise InputError("network.name", repr(name), f"one of {', '.join(known)}", "Correct the name.")
    taken = inspect.signature(NETWORKS[name]).parameters
    optional = {"size_px", "output"} - set(taken)
    return network | {key: value for key, value in needed.items() if key not in optional}


def check_size(card: ModelCard, images: PreparedImages) -> None:
    """Raise an `InputError` unless images have the size that a network was trained on."""
    wanted = card.inputs["size_px"]
    if images.size_px != wanted:
        found, expected = f"{images.size_px} pixels a side", f"{wanted}, as in training"
        raise InputError("prepared images", found, expected, "Prepare the images anew, or train anew.")


@torch.inference_mode()
def predict_images(network: nn.Module, images: np.ndarray, device: torch.device) -> Iterator[Tensor]:
    """Yield what a network, put in evaluation mode on `device`, makes of images, a batch at a time.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, size, size)

    Yields
    ------
    Tensor of float32, shape (batch, ...)
        Logits of the next images, on `device`.
    """
    # A loaded network then computes as the trained one did, whose channels are last in memory.
    network.to(device, memory_format=torch.channels_last).eval()
    size = max(1, min(PREDICTED_IMAGES, PREDICTED_PX // max(1, images[:1].size)))
    for start in range(0, len(images), size):
        part = torch.from_numpy(images[start : start + size]).to(device)
        yield network(part[:, None].float() / BRIGHTEST).float()
