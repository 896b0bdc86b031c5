"""Sinograms with their geometry as HDF5."""

from dataclasses import asdict, fields
from pathlib import Path

import h5py
import numpy as np

from medscale.errors import InputError
from medscale.files.atomic import atomic_path
from medscale.sparse_ct.geometry import FanBeam, ParallelBeam

GEOMETRIES = {"parallel": ParallelBeam, "fan": FanBeam}


def write_sinogram(projections: np.ndarray, geometry: ParallelBeam, path: str | Path) -> None:
    """Write line integrals (slices, views, detectors) as `projections`, the geometry as its attributes.

    The angles of the views stand in the data set `angles_rad`.
    """
    kind = "fan" if isinstance(geometry, FanBeam) else "parallel"
    described = asdict(geometry)
    with atomic_path(path) as temporary, h5py.File(temporary, "w", track_order=False) as file:
        file["angles_rad"] = np.asarray(described.pop("angles_rad"))
        data = file.create_dataset("projections", data=projections, chunks=(1, *projections.shape[1:]))
        data.attrs.update(
            {"beam": kind, "axes": "slice, view, detector", "quantity": "line integral", **described}
        )


def read_sinogram(path: str | Path) -> tuple[np.ndarray, ParallelBeam]:
    """Return the projections (slices, views, detectors) and the geometry that `write_sinogram` wrote.

    Raises
    ------
    InputError
        If the file is damaged or lacks a part.
    """
    try:
        with h5py.File(path) as file:
            data = file["projections"]
            kind = GEOMETRIES[data.attrs["beam"]]
            described = {
                part.name: data.attrs[part.name].item() for part in fields(kind) if part.name != "angles_rad"
            }
            return data[:], kind(angles_rad=tuple(file["angles_rad"][:].tolist()), **described)
    except (OSError, KeyError, AttributeError) as error:
        raise InputError(
            path,
            f"no sinogram ({error})",
            "an HDF5 file with projections and their geometry, as simulate_views writes it",
            "Delete the file and run again.",
        ) from error
