"""Batch sizes that grow towards the end of a training, by name.

Source: the thesis, section 3.3.1 and Tables 3.1 and 3.2. It keeps the learning rate and raises the batch
size in the last epochs; its unit of time is a twentieth of the training (5 of 100 epochs).
"""

import re
from dataclasses import dataclass
from itertools import pairwise

from medscale.errors import InputError

UNITS = 20
NAME = re.compile(r"(fixed|t31|t32)/([1-9]\d*(?:-[1-9]\d*)*)")
EXPECTED = "fixed/N, t31/A, t31/A-B, t31/A-B-C, t32/A, or t32/A-B where B is A doubled some times; sizes grow"


@dataclass(frozen=True)
class BatchSchedule:
    """The batch size of every epoch; epochs count from 0.

    Attributes
    ----------
    name : str
        As `parse_schedule` takes it.
    epochs : int
        Epochs of the whole training.
    steps : tuple of (int, int)
        First epoch and batch size of each stretch of equal size; the first begins at epoch 0.
    """

    name: str
    epochs: int
    steps: tuple[tuple[int, int], ...]

    def size(self, epoch: int) -> int:
        """Return the number of samples in a batch of this epoch."""
        return next(size for begin, size in reversed(self.steps) if begin <= epoch)

    @property
    def file_name(self) -> str:
        """The name in the form that file names can hold, such as t31_1-2-4."""
        return self.name.replace("/", "_")

    @property
    def first(self) -> int:
        """The size with which training begins."""
        return self.steps[0][1]

    @property
    def largest(self) -> int:
        """The largest size that is reached."""
        return max(size for _, size in self.steps)

    @property
    def shared_epochs(self) -> int:
        """Epochs at the first size: as long, a training with that size fixed goes the same way."""
        return self.steps[1][0] if len(self.steps) > 1 else self.epochs

    @property
    def text(self) -> str:
        """The schedule in words, such as "1 to epoch 90, 2 to epoch 95, 4 to epoch 100"."""
        ends = [begin for begin, _ in self.steps[1:]] + [self.epochs]
        return ", ".join(f"{size} to epoch {end}" for (_, size), end in zip(self.steps, ends, strict=True))

    def learning_rate_factor(self, epoch: int) -> float:
        """Return the factor on the learning rate that replaces the growth of the batch up to this epoch.

        Gradient noise grows with learning rate over batch size (Smith et al., ICLR 2018,
        arXiv:1711.00489), so that at the first batch size this factor keeps the noise of the schedule.
        """
        return self.first / self.size(epoch)


def parse_schedule(name: str, epochs: int) -> BatchSchedule:
    """Return the schedule called `name` for a training of `epochs`.

    - `fixed/16`: always 16.
    - `t31/1-4`: 1, then 4 in the last 10 % of the epochs; `t31/1-2-4`: 2 in the last 10 %, 4 in the last
      5 %; `t31/1`: always 1 (Table 3.1).
    - `t32/1-64`: doubled every 5 % of the epochs until 64 holds in the last 5 %; `t32/1`: always 1
      (Table 3.2).

    The percentages are rounded to whole epochs. In trainings of less than 20 epochs, one epoch stands
    for 5 %, and two for 10 %.

    Raises
    ------
    InputError
        If the name is not of this form, or the growth leaves no epoch at the first size.
    """
    where = f"batch schedule {name!r}"
    matched = NAME.fullmatch(name)
    if not matched:
        raise InputError(where, "no such form", EXPECTED, "Correct the name.")
    table, sizes = matched[1], [int(size) for size in matched[2].split("-")]
    tail = _tail(table, sizes)
    if tail is None:
        raise InputError(where, f"the sizes {matched[2]} for {table}", EXPECTED, "Correct the sizes.")
    steps = ((0, sizes[0]), *((epochs - _length(units, epochs), size) for units, size in tail))
    if len(steps) > 1 and steps[1][0] < 1:
        raise InputError(
            where,
            f"{epochs} epochs",
            f"more than {_length(tail[0][0], epochs)} epochs, so that one at least is at the first size",
            "Train for more epochs, or grow less often.",
        )
    return BatchSchedule(name, epochs, steps)


def _tail(table: str, sizes: list[int]) -> list[tuple[int, int]] | None:
    """Return, for each later size, the twentieths of the training that remain when it begins."""
    if len(sizes) == 1:
        return []
    if any(later <= earlier for earlier, later in pairwise(sizes)):
        return None
    if table == "t31" and len(sizes) <= 3:
        return list(zip((2, 1), sizes[1:], strict=False))
    factor = sizes[-1] // sizes[0]
    doublings = factor.bit_length() - 1
    if table == "t32" and len(sizes) == 2 and sizes[0] << doublings == sizes[1]:
        return [(doublings - done, sizes[0] << (done + 1)) for done in range(doublings)]
    return None


def _length(units: int, epochs: int) -> int:
    """Return the epochs in so many twentieths, rounded, at least one for each."""
    return max(units, (units * epochs + UNITS // 2) // UNITS)
