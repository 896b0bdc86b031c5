"""HDF5 files that are opened to be read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from medscale.errors import InputError


@contextmanager
def opened_hdf5(path: str | Path, what: str, expected: str) -> Iterator[h5py.File]:
    """Yield an open HDF5 file; a part that is missing in it is an error as much as a missing file.

    Parameters
    ----------
    what : str
        What the file should be, such as `prepared images`, for the message.
    expected : str
        What it should hold, and who writes it, for the message.

    Raises
    ------
    InputError
        If the file is missing or damaged, or the block asks for a part that it lacks.
    """
    try:
        with h5py.File(path) as file:
            yield file
    except (OSError, KeyError) as error:
        raise InputError(path, f"no {what} ({error})", expected, "Delete the file and run again.") from error
