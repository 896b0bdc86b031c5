"""Weights that were trained elsewhere, loaded into our networks."""

import logging
import re
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from medscale.errors import InputError
from medscale.networks.classifiers.base import Classifier

log = logging.getLogger(__name__)


def load_pretrained(network: Classifier, path: str | Path) -> None:
    """Load a torchvision weight file (`.pth` or `.safetensors`) into `network`, in place.

    Heads are left as drawn where their number of outputs differs (1000 ImageNet classes against one), and
    auxiliary heads are left out where the network was built without them.

    Raises
    ------
    InputError
        If the file cannot be read, or lacks or misshapes any other parameter.
    """
    given, wanted = _read(Path(path)), network.state_dict()
    given = {k: v for k, v in given.items() if k in wanted or not _belongs(k, network.auxiliary_heads)}
    skipped = [k for k in given if _belongs(k, network.heads) and _differs(k, given, wanted)]
    if skipped:
        log.info("%s: %s stay as drawn, their shapes differ", path, ", ".join(skipped))
    used = {k: v for k, v in given.items() if k not in skipped}
    # Files older than torch 0.4.1 lack these counters, which only matter for cumulative averages.
    missing = [
        k for k in wanted if k not in used and k not in skipped and not k.endswith("num_batches_tracked")
    ]
    misshapen = [k for k in used if k not in wanted or _differs(k, used, wanted)]
    if missing or misshapen:
        raise InputError(
            path,
            f"{len(missing)} parameters missing and {len(misshapen)} unknown or of another shape, "
            f"such as {(missing + misshapen)[0]}",
            "the parameters of the configured network",
            "Name the network these weights belong to in network.name.",
        )
    network.load_state_dict(used, strict=False)


def _belongs(name: str, layers: tuple[str, ...]) -> bool:
    return any(name.startswith(f"{layer}.") for layer in layers)


def _differs(name: str, given: dict[str, Tensor], wanted: dict[str, Tensor]) -> bool:
    return name in wanted and given[name].shape != wanted[name].shape


def _read(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return _rename(load_file(path))
        return _rename(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:
        raise InputError(
            path,
            f"no readable weights ({type(error).__name__}: {str(error).splitlines()[0]})",
            "a state dict as .pth or .safetensors",
            "Check network.weights in the configuration.",
        ) from error


def _rename(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return weights by the names that torchvision's networks have today.

    Its published DenseNets are older than torch 0.4, where a name may no longer hold a dot ("norm.1").
    """
    return {re.sub(r"(denselayer\d+\.(?:norm|conv))\.(\d)\.", r"\1\2.", k): v for k, v in weights.items()}
