"""Random generators that depend on the seed of the run and the name of the item, and on nothing else."""

import hashlib

import numpy as np


def derive_seed(seed: int, *names: str | int) -> int:
    """Return a seed in [0, 2**63) for the item called `names` in the run seeded with `seed`."""
    text = "/".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """Return a NumPy generator for the item called `names` in the run seeded with `seed`."""
    return np.random.default_rng(derive_seed(seed, *names))
