"""Tumour probabilities of the pixels of all images of a collection, as HDF5."""

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np

from medscale.files.atomic import atomic_path
from medscale.files.hdf5 import opened_hdf5

WHAT, EXPECTED = "outlined tumours", "an HDF5 file with probabilities, as outline_tumours writes it"


def write_probabilities(path: str | Path, names: Sequence[str], values: np.ndarray) -> None:
    """Write the probabilities of images; the same ones give the same bytes.

    Parameters
    ----------
    names : sequence of str
    values : ndarray of uint8, shape (len(names), size, size)
        In 255ths, as `outline_tumours` returns them.
    """
    if len(names) != len(values):
        raise ValueError(f"{len(names)} names for {len(values)} images")
    with atomic_path(path) as temporary, h5py.File(temporary, "w", track_order=False) as file:
        # Most pixels are 0, so that little is left of them; one image a chunk is one that can be looked at.
        chunks = (1, *values.shape[1:]) if len(values) else None
        packed = {"compression": "gzip", "compression_opts": 1} if chunks else {}
        file.create_dataset("probabilities", data=values, chunks=chunks, **packed)
        file["names"] = np.char.encode(np.array(names, dtype=str), "utf-8")


def read_probabilities(path: str | Path) -> dict[str, np.ndarray]:
    """Return the probabilities of each image by its name, uint8 of shape (size, size), in 255ths.

    Raises
    ------
    InputError
        If the file is missing, damaged or lacks a part.
    """
    with opened_hdf5(path, WHAT, EXPECTED) as file:
        values, names = file["probabilities"][:], file["names"][:]
    return dict(zip(np.char.decode(names, "utf-8").tolist(), values, strict=True))
