"""Networks by name: the one place where a name in the configuration becomes a module."""

import torch
from torch import nn

from medscale.errors import InputError
from medscale.networks.classifiers import resnet
from medscale.networks.unet import UNet

CLASSIFIERS = {
    "resnet10": resnet.resnet10,
    "resnet18": resnet.resnet18,
    "resnet34": resnet.resnet34,
    "resnet50": resnet.resnet50,
    "resnet101": resnet.resnet101,
}
RESTORERS = {"unet": UNet}
NETWORKS = CLASSIFIERS | RESTORERS


def build_network(name: str, seed: int, **settings) -> nn.Module:
    """Return the network called `name` with weights drawn from `seed`.

    Raises
    ------
    InputError
        If no network has this name.
    """
    if name not in NETWORKS:
        raise InputError("network.name", repr(name), f"one of {', '.join(NETWORKS)}", "Correct the name.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return NETWORKS[name](**settings)
