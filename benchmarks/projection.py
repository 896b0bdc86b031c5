"""Sparse-view simulation and reconstruction against scikit-image and, where it is installed, ASTRA."""

import importlib.util
import os
import statistics
import time
from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from skimage.transform import iradon, radon

from benchmarks.peak import measure_peak
from medscale.phantoms.ellipses import HEAD, draw_ellipses, integrate_ellipses
from medscale.sparse_ct.attenuation import attenuation, hounsfield
from medscale.sparse_ct.geometry import full_scan
from medscale.sparse_ct.simulation import SimulationSettings, reconstruct_fbp, scan_geometry, simulate_scan

SIZE_PX, BATCH, REPEATS = 512, 16, 5
FULL_VIEWS, SPARSE_VIEWS = 1000, 60
SETTINGS = SimulationSettings(FULL_VIEWS)


def compare_projection() -> list[tuple[str, str]]:
    """Return rows (what, result) on speed, error against the analytic truth, and memory."""
    torch.set_num_threads(os.cpu_count() or 1)
    return [*_sparse_rows(), *_full_rows(), *_error_rows(), *_memory_rows()]


@cache
def _slices(count: int) -> np.ndarray:
    hu = hounsfield(0.02 * draw_ellipses(HEAD, SIZE_PX)).astype(np.float32)
    return np.repeat(hu[None], count, axis=0)


def _simulate_and_reconstruct(hu: np.ndarray, views: int) -> None:
    geometry = scan_geometry(SIZE_PX, 1.0, views, SETTINGS)
    reconstruct_fbp(simulate_scan(hu, geometry, SETTINGS, 0), geometry)


def _simulate(hu: np.ndarray, views: int) -> None:
    simulate_scan(hu, scan_geometry(SIZE_PX, 1.0, views, SETTINGS), SETTINGS, 0)


def _with_skimage(mu: np.ndarray, angles: np.ndarray) -> None:
    iradon(radon(mu, angles, circle=False), angles, circle=False, output_size=SIZE_PX)


def _sparse_rows() -> list[tuple[str, str]]:
    mu, degrees = attenuation(_slices(1)[0]), np.arange(SPARSE_VIEWS) * 180 / SPARSE_VIEWS
    first = _seconds(_simulate_and_reconstruct, _slices(BATCH), SPARSE_VIEWS)
    ours, alone, theirs = [], [], []
    for _ in range(REPEATS):
        ours.append(_seconds(_simulate_and_reconstruct, _slices(BATCH), SPARSE_VIEWS) / BATCH)
        alone.append(_seconds(_simulate_and_reconstruct, _slices(1), SPARSE_VIEWS))
        theirs.append(_seconds(_with_skimage, mu, degrees))
    case = f"{SPARSE_VIEWS} views and FBP, {SIZE_PX} px"
    return [
        (f"{case}, slices in batches of {BATCH}", _times(theirs, ours, "scikit-image")),
        (f"{case}, one slice at a time", _times(theirs, alone, "scikit-image")),
        (
            f"{case}, the first batch, which builds the matrices",
            _times(theirs, [first / BATCH], "scikit-image"),
        ),
    ]


def _full_rows() -> list[tuple[str, str]]:
    mu, degrees = attenuation(_slices(1)[0]), np.arange(FULL_VIEWS) * 180 / FULL_VIEWS
    others = {"scikit-image": lambda: radon(mu, degrees, circle=False)}
    if importlib.util.find_spec("astra"):
        others["ASTRA (line)"] = _astra(mu)
    ours, alone, theirs = [], [], {name: [] for name in others}
    for _ in range(3):
        ours.append(_seconds(_simulate, _slices(BATCH), FULL_VIEWS) / BATCH)
        alone.append(_seconds(_simulate, _slices(1), FULL_VIEWS))
        for name, run in others.items():
            theirs[name].append(_seconds(run))
    rows = []
    for name, seconds in theirs.items():
        case = f"{FULL_VIEWS} views, {SIZE_PX} px"
        rows.append((f"{case}, slices in batches of {BATCH}", _times(seconds, ours, name)))
        rows.append((f"{case}, one slice at a time", _times(seconds, alone, name)))
    return rows


def _astra(mu: np.ndarray) -> Callable[[], None]:
    import astra

    geometry = full_scan(SIZE_PX, 1.0, FULL_VIEWS)
    volume = astra.create_vol_geom(SIZE_PX, SIZE_PX)
    rays = astra.create_proj_geom("parallel", 1.0, geometry.detectors, np.asarray(geometry.angles_rad))
    projector = astra.create_projector("line", rays, volume)

    def run() -> None:
        identifier, _ = astra.create_sino(mu, projector)
        astra.data2d.delete(identifier)

    return run


def _error_rows() -> list[tuple[str, str]]:
    image = draw_ellipses(HEAD, SIZE_PX)
    geometry = scan_geometry(SIZE_PX, 1.0, SPARSE_VIEWS, SETTINGS)
    angles = np.asarray(geometry.angles_rad)[:, None]
    degrees = -np.rad2deg(angles[:, 0])
    # scikit-image turns around the centre of pixel N // 2.
    bins = np.arange(SIZE_PX)[None] - SIZE_PX // 2 + (np.cos(angles) + np.sin(angles)) / 2
    exact = integrate_ellipses(HEAD, SIZE_PX, *geometry.rays())
    exact_there = integrate_ellipses(HEAD, SIZE_PX, np.broadcast_to(angles, bins.shape), bins)
    hu = hounsfield(image).astype(np.float32)[None]
    projected = simulate_scan(hu, geometry, SETTINGS, 0)[0]
    back = attenuation(reconstruct_fbp(exact[None].astype(np.float32), geometry)[0])
    errors = {
        "sinogram": (
            _relative(projected, exact),
            _relative(radon(image, degrees, circle=True).T, exact_there),
        ),
        "FBP of the exact sinogram": (
            _inside(back - image.clip(min=0)),
            _inside(iradon(exact_there.T, degrees, circle=True).clip(min=0) - image),
        ),
    }
    return [
        (f"error against the truth, {name}", f"{ours:.5f} against {theirs:.5f} of scikit-image")
        for name, (ours, theirs) in errors.items()
    ]


def _memory_rows() -> list[tuple[str, str]]:
    return [
        (f"{BATCH} slices of {SIZE_PX} px, {what}", measure_peak(step, views))
        for what, step, views in (
            (f"{SPARSE_VIEWS} views and FBP", _peak_sparse, SPARSE_VIEWS),
            (f"{FULL_VIEWS} views and FBP", _peak_sparse, FULL_VIEWS),
        )
    ]


def _peak_sparse(views: int) -> None:
    _simulate_and_reconstruct(_slices(BATCH), views)


def _relative(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(((found - truth) ** 2).mean() / (truth**2).mean()))


def _inside(error: np.ndarray) -> float:
    """Root mean square within the circle that both reconstruct."""
    line = np.arange(SIZE_PX) - (SIZE_PX - 1) / 2
    circle = np.hypot(line[:, None], line[None]) < SIZE_PX / 2 - 2
    return float(np.sqrt((error[circle] ** 2).mean()))


def _times(theirs: list[float], ours: list[float], name: str) -> str:
    mine, other = statistics.median(ours), statistics.median(theirs)
    times = f"{mine * 1e3:.1f} ms against {other * 1e3:.0f} ms a slice"
    return f"{other / mine:.1f} times as fast as {name} ({times})"


def _seconds(run: Callable[..., None], *arguments: object) -> float:
    started = time.perf_counter()
    run(*arguments)
    return time.perf_counter() - started
