"""What all trainings on scans are described by in the configuration."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class TrainingSettings:
    """What trainings on images and on volumes have in common.

    Attributes
    ----------
    network : dict
        `name` and settings of the network; what follows from the data is filled in.
    batch_size : int
    epochs : int
    samples_per_epoch : int or None
        How many samples an epoch draws; None for as many as there are.
    optimisation : dict
        Fields of `Optimisation`.
    """

    network: dict[str, Any]
    batch_size: int
    epochs: int
    samples_per_epoch: int | None
    optimisation: dict[str, Any]

    def describe(self) -> dict[str, Any]:
        """Return all but the network, which has its own place in a model card."""
        return {key: value for key, value in asdict(self).items() if key != "network"}
