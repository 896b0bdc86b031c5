"""Which samples form which batch, as a function of seed and epoch alone."""

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler

from medscale.seeds import generator
from medscale.training.batch_schedules import BatchSchedule


class EpochBatches(Sampler[list[int]]):
    """Batches of sample indices; epoch e of a resumed run is epoch e of an undisturbed one.

    The order of the samples does not depend on the batch size: trainings with other sizes see the same
    samples in the same epoch, cut elsewhere.

    Parameters
    ----------
    samples : int
        Number of samples in the data set.
    batch_size : int or BatchSchedule
        The size of all batches, or of those of each epoch.
    seed : int
    samples_per_epoch : int, optional
        How many samples an epoch draws; all of them by default. Passes over the data follow one
        another without gap, so every sample is used equally often.
    numbered : bool
        Yield `pass * samples + sample` instead of `sample`, so that a data set can draw anew each time
        that it hands over the same sample.

    Attributes
    ----------
    processes : int
        How many processes divide each batch between them (see `processes`).
    """

    def __init__(
        self,
        samples: int,
        batch_size: int | BatchSchedule,
        seed: int,
        samples_per_epoch: int | None = None,
        *,
        numbered: bool = False,
    ):
        self.samples, self.batch_size, self.seed = samples, batch_size, seed
        self.samples_per_epoch = samples_per_epoch or samples
        self.numbered = numbered
        self.epoch, self.processes = 0, 1

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose batches are drawn next; Lightning calls this."""
        self.epoch = epoch

    def size(self, epoch: int) -> int:
        """Return the batch size of an epoch."""
        return self.batch_size if isinstance(self.batch_size, int) else self.batch_size.size(epoch)

    def count(self, epoch: int) -> int:
        """Return the number of batches of an epoch."""
        whole, rest = divmod(self.samples_per_epoch, self.size(epoch))
        # Batch norm over vectors cannot learn from a single sample; who asks for batches of one knows better.
        return max(1, whole + (rest // self.processes > 1))

    def total(self, epochs: int) -> int:
        """Return the number of batches of so many epochs."""
        return sum(self.count(epoch) for epoch in range(epochs))

    @property
    def varies(self) -> bool:
        """Whether some epochs have another batch size than others."""
        return not isinstance(self.batch_size, int) and len(self.batch_size.steps) > 1

    def __len__(self) -> int:
        return self.count(self.epoch)

    def __iter__(self) -> Iterator[list[int]]:
        indices, size = self._indices(), self.size(self.epoch)
        for number in range(len(self)):
            yield indices[number * size : (number + 1) * size].tolist()

    def _indices(self) -> np.ndarray:
        positions = np.arange(self.samples_per_epoch) + self.epoch * self.samples_per_epoch
        passes = positions // self.samples
        parts = [
            generator(self.seed, "pass", int(number)).permutation(self.samples)[
                positions[passes == number] % self.samples
            ]
            for number in np.unique(passes)
        ]
        indices = np.concatenate(parts)
        return passes * self.samples + indices if self.numbered else indices
