"""Sparse-view simulation and reconstruction against scikit-image and, where it is installed, ASTRA."""

import importlib.util
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import torch
from skimage.transform import iradon, radon

from benchmarks.peak import measure_peak
from medscale.phantoms.ellipses import HEAD, Ellipse, draw_ellipses, integrate_ellipses
from medscale.sparse_ct.attenuation import attenuation, hounsfield
from medscale.sparse_ct.fbp import shared_fbp
from medscale.sparse_ct.geometry import full_scan
from medscale.sparse_ct.projector import shared_projector
from medscale.sparse_ct.simulation import SimulationSettings, reconstruct_fbp, scan_geometry, simulate_scan

SIZE_PX, BATCH, REPEATS = 512, 16, 5
FULL_VIEWS, SPARSE_VIEWS = 1000, 60
PHANTOMS = 8
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
    iradon(radon(mu, angles, circle=True), angles, circle=True)


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
    others = {"scikit-image": lambda: radon(mu, degrees, circle=True)}
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
    """Errors of single phantoms differ by chance, so that these are means over several."""
    rng = np.random.default_rng(0)
    heads = [_placed(rng.uniform(0, np.pi), *rng.uniform(-0.05, 0.05, 2)) for _ in range(PHANTOMS)]
    means = np.mean([_errors(head) for head in heads], axis=0)
    return [
        (f"error against the truth, {name}", f"{ours:.5f} against {theirs:.5f} of scikit-image")
        for name, (ours, theirs) in zip(("sinogram", "FBP of the exact sinogram"), means, strict=True)
    ]


def _placed(turn: float, x: float, y: float) -> list[Ellipse]:
    cosine, sine = np.cos(turn), np.sin(turn)
    return [
        replace(
            part,
            x=part.x * cosine - part.y * sine + x,
            y=part.x * sine + part.y * cosine + y,
            turn=part.turn + turn,
        )
        for part in HEAD
    ]


def _errors(head: list[Ellipse]) -> list[tuple[float, float]]:
    """Return our error and scikit-image's of the sinogram and of the reconstruction."""
    image = draw_ellipses(head, SIZE_PX)
    geometry = scan_geometry(SIZE_PX, 1.0, SPARSE_VIEWS, SETTINGS)
    angles = np.asarray(geometry.angles_rad)[:, None]
    degrees = -np.rad2deg(angles[:, 0])
    # scikit-image turns around the centre of pixel N // 2.
    bins = np.arange(SIZE_PX)[None] - SIZE_PX // 2 + (np.cos(angles) + np.sin(angles)) / 2
    exact = integrate_ellipses(head, SIZE_PX, *geometry.rays())
    exact_there = integrate_ellipses(head, SIZE_PX, np.broadcast_to(angles, bins.shape), bins)
    projected = shared_projector(geometry)(torch.from_numpy(image)[None])[0].numpy()
    back = shared_fbp(geometry, "ramp")(torch.from_numpy(exact)[None])[0].numpy()
    return [
        (_relative(projected, exact), _relative(radon(image, degrees, circle=True).T, exact_there)),
        (_inside(back - image), _inside(iradon(exact_there.T, degrees, circle=True) - image)),
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
    # Drawing the phantom would take more memory than scanning it.
    slices = np.random.default_rng(0).uniform(-1000, 1000, (BATCH, SIZE_PX, SIZE_PX)).astype(np.float32)
    _simulate_and_reconstruct(slices, views)


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
