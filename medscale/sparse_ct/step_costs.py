"""What a training step of the denoiser takes, by batch size and by the options that save memory."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
import torch

from medscale.networks.registry import build_network
from medscale.training.batch_schedules import parse_schedule
from medscale.training.memory import StepCost, largest_batch, measure_step, memory_budget
from medscale.training.optimisation import Optimisation
from medscale.training.restoration import PairBatch, Restoration

OPTIONS: dict[str, dict[str, Any]] = {
    "none": {},
    "mixed precision": {"precision": "bfloat16"},
    "activation checkpointing": {"activation_checkpointing": True},
    "gradient accumulation": {"micro_batch": 1},
}


def measure_steps(
    denoiser: Mapping[str, Any], batch_sizes: Sequence[int], device: torch.device
) -> pd.DataFrame:
    """Measure one training step for each option and batch size.

    Parameters
    ----------
    denoiser : mapping
        The `denoiser` section of the configuration; its own options are left out.

    Returns
    -------
    DataFrame
        `option`, `batch_size`, `peak_mb` (10^6 bytes), `seconds_per_image`, and the two relative to the same
        batch without an option.
    """
    costs = {
        (option, size): _measure(denoiser, option, size, device) for option in OPTIONS for size in batch_sizes
    }
    rows = []
    for (option, size), cost in costs.items():
        plain = costs["none", size]
        rows.append(
            {
                "option": option,
                "batch_size": size,
                "peak_mb": cost.peak_bytes / 1e6,
                "seconds_per_image": cost.seconds_per_image,
                "relative_peak": cost.peak_bytes / plain.peak_bytes,
                "relative_seconds": cost.seconds_per_image / plain.seconds_per_image,
            }
        )
    return pd.DataFrame(rows)


def find_largest_batches(
    denoiser: Mapping[str, Any], budget_gb: float, limit: int, device: torch.device
) -> pd.DataFrame:
    """Find the largest batch up to `limit` that fits, with each option.

    Parameters
    ----------
    budget_gb : float
        Memory that training may take on a CPU; on a GPU it is what is free there.

    Returns
    -------
    DataFrame
        `option`, `budget_gb`, `largest_batch` (0 if not one image fits) and `is_limit` (whether a larger
        batch was not sought).
    """
    budget = memory_budget(device, budget_gb)
    rows = []
    for option in OPTIONS:
        measure = partial(_measure, denoiser, option, device=device, steps=0)
        found = largest_batch(measure, budget, limit)
        rows.append((option, budget / 1e9, found, found == limit))
    return pd.DataFrame(rows, columns=["option", "budget_gb", "largest_batch", "is_limit"])


def _measure(
    denoiser: Mapping[str, Any], option: str, size: int, device: torch.device, steps: int = 2
) -> StepCost:
    return measure_step(partial(_step, denoiser, option, device=device), size, device, steps)


def _step(denoiser: Mapping[str, Any], option: str, size: int, device: torch.device):
    chosen = dict(OPTIONS[option])
    checkpointing = chosen.pop("activation_checkpointing", False)
    settings = denoiser["network"] | {"output": denoiser["output"], "activation_checkpointing": checkpointing}
    task = Restoration(
        build_network(seed=0, **settings),
        Optimisation(**denoiser["optimisation"]),
        parse_schedule(f"fixed/{size}", denoiser["epochs"]),
        **chosen,
    ).to(device)
    optimiser = task.configure_optimizers()
    images = torch.rand(size, 1, denoiser["size_px"], denoiser["size_px"], device=device)
    batch = PairBatch(images, images)

    def step() -> None:
        optimiser.zero_grad()
        task.add_gradients(batch)
        optimiser.step()

    return step
