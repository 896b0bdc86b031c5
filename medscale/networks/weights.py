"""Weights that were trained elsewhere, loaded into our networks."""

import logging
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from medscale.errors import InputError

log = logging.getLogger(__name__)


def load_pretrained(network: nn.Module, path: str | Path, head: str = "fc") -> None:
    """Load a torchvision weight file (`.pth` or `.safetensors`) into `network`, in place.

    The head is left as drawn where its number of outputs differs (1000 ImageNet classes against one).

    Parameters
    ----------
    head : str
        Name of the last layer.

    Raises
    ------
    InputError
        If the file cannot be read, or lacks or misshapes any other parameter.
    """
    given, wanted = _read(Path(path)), network.state_dict()
    skipped = [k for k in given if k.startswith(f"{head}.") and given[k].shape != wanted[k].shape]
    if skipped:
        log.info("%s: %s stay as drawn, their shapes differ", path, ", ".join(skipped))
    used = {k: v for k, v in given.items() if k not in skipped}
    # Files older than torch 0.4.1 lack these counters, which only matter for cumulative averages.
    missing = [
        k for k in wanted if k not in used and k not in skipped and not k.endswith("num_batches_tracked")
    ]
    misshapen = [k for k in used if k not in wanted or used[k].shape != wanted[k].shape]
    if missing or misshapen:
        raise InputError(
            path,
            f"{len(missing)} parameters missing and {len(misshapen)} unknown or of another shape, "
            f"such as {(missing + misshapen)[0]}",
            "the parameters of the configured network",
            "Name the network these weights belong to in network.name.",
        )
    network.load_state_dict(used, strict=False)


def _read(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InputError(
            path,
            f"no readable weights ({type(error).__name__}: {str(error).splitlines()[0]})",
            "a state dict as .pth or .safetensors",
            "Check network.weights in the configuration.",
        ) from error
