"""Which samples form which batch, as a function of seed and epoch alone."""

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler

from medscale.seeds import generator


class EpochBatches(Sampler[list[int]]):
    """Batches of sample indices; epoch e of a resumed run is epoch e of an undisturbed one.

    Parameters
    ----------
    samples : int
        Number of samples in the data set.
    batch_size : int
    seed : int
    samples_per_epoch : int, optional
        How many samples an epoch draws; all of them by default. Passes over the data follow one
        another without gap, so every sample is used equally often.
    """

    def __init__(self, samples: int, batch_size: int, seed: int, samples_per_epoch: int | None = None):
        self.samples, self.batch_size, self.seed = samples, batch_size, seed
        self.samples_per_epoch = samples_per_epoch or samples
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose batches are drawn next; Lightning calls this."""
        self.epoch = epoch

    def __len__(self) -> int:
        whole, rest = divmod(self.samples_per_epoch, self.batch_size)
        # Batch norm cannot learn from a single sample.
        return max(1, whole + (rest > 1))

    def __iter__(self) -> Iterator[list[int]]:
        indices = self._indices()
        for number in range(len(self)):
            yield indices[number * self.batch_size : (number + 1) * self.batch_size].tolist()

    def _indices(self) -> np.ndarray:
        positions = np.arange(self.samples_per_epoch) + self.epoch * self.samples_per_epoch
        passes = positions // self.samples
        parts = [
            generator(self.seed, "pass", int(number)).permutation(self.samples)[
                positions[passes == number] % self.samples
            ]
            for number in np.unique(passes)
        ]
        return np.concatenate(parts)
