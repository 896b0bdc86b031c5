"""A mean over the batches of an epoch."""

from dataclasses import dataclass, field

from torch import Tensor


@dataclass
class RunningMean:
    """Weighted mean of numbers that stays on the device until it is asked for."""

    total: Tensor | float = field(default=0.0)
    weight: int = 0

    def add(self, value: Tensor, weight: int) -> None:
        """Add the mean of `weight` samples."""
        self.total = self.total + value.detach() * weight
        self.weight += weight

    def take(self) -> float:
        """Return the mean and begin anew."""
        mean = float(self.total) / self.weight
        self.total, self.weight = 0.0, 0
        return mean
