"""Memory and time of one training step, and the largest batch that fits into memory."""

import ctypes
import gc
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from medscale.errors import InputError

log = logging.getLogger(__name__)
STATUS, CLEAR_REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")
# Sets the peak of the resident memory to what is resident now (proc_pid_clear_refs(5)).
RESET_PEAK = "5"

# glibc's mallopt(3), and how large a tensor must be to be given back when it is freed.
M_MMAP_THRESHOLD = -3
SMALL_BYTES, LARGE_BYTES = 1 << 18, 1 << 25

Step = Callable[[], object]


@dataclass(frozen=True)
class StepCost:
    """What one training step takes.

    Attributes
    ----------
    batch_size : int
    peak_bytes : int
        Peak of the memory for network, gradients, optimiser, batch and activations together.
    seconds_per_image : float
        NaN where no step was timed.
    """

    batch_size: int
    peak_bytes: int
    seconds_per_image: float


def measure_step(
    build: Callable[[int], Step], batch_size: int, device: torch.device, steps: int = 2
) -> StepCost:
    """Build a training step for `batch_size` and measure it.

    On a GPU the memory is that of torch's tensors. On a CPU it is the growth of the resident memory of
    this process, so nothing else should run in it meanwhile; it includes the fragments that the
    allocator keeps, a tenth more or less from run to run.

    Parameters
    ----------
    build : callable
        Batch size to a function that does one training step. It draws the batch and builds network
        and optimiser, so that they are counted.
    steps : int
        Steps that are timed, after two whose memory is measured. An optimiser allocates its own in the first.

    Raises
    ------
    InputError
        On a CPU, if the system cannot measure peaks: Linux can.
    torch.OutOfMemoryError
        If the batch does not fit on the GPU.
    """
    _return_at_once_from(SMALL_BYTES)
    # The first step of a process also loads code, which is no memory of the batch.
    build(1)()
    with _peak_of(device) as peak:
        step = build(batch_size)
        step()
        step()
    # A thread has a heap of its own: what timed steps leave in it cannot blur the next measurement.
    with ThreadPoolExecutor(max_workers=1) as thread:
        seconds = thread.submit(_time, step, steps, device).result()
    return StepCost(batch_size, peak(), seconds / batch_size)


def largest_batch(measure: Callable[[int], StepCost], budget_bytes: float, limit: int) -> int:
    """Return the largest batch size up to `limit` whose training step stays within the budget.

    Sizes are doubled until one does not fit, and the last gap is bisected. A batch for which the GPU has
    no memory does not fit.

    Returns
    -------
    int
        0 if not even one image fits.
    """
    fits, beyond = 0, limit + 1
    while beyond - fits > 1:
        size = min(max(1, 2 * fits), limit) if beyond == limit + 1 else (fits + beyond) // 2
        if _fits(measure, size, budget_bytes):
            fits = size
        else:
            beyond = size
    return fits


def memory_budget(device: torch.device, memory_budget_gb: float) -> float:
    """Return the bytes that training may take: what is free on a GPU, or the given budget on a CPU."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return memory_budget_gb * 1e9


def _fits(measure: Callable[[int], StepCost], size: int, budget_bytes: float) -> bool:
    try:
        cost = measure(size)
    except (torch.OutOfMemoryError, MemoryError):
        log.info("batch of %d: out of memory", size)
        return False
    log.info("batch of %d: %.3f GB of %.3f GB", size, cost.peak_bytes / 1e9, budget_bytes / 1e9)
    return cost.peak_bytes <= budget_bytes


def _time(step: Step, steps: int, device: torch.device) -> float:
    """Return the mean time of a step in seconds, NaN without steps."""
    started = time.perf_counter()
    for _ in range(steps):
        step()
    _wait(device)
    return (time.perf_counter() - started) / steps if steps else float("nan")


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


@contextmanager
def _peak_of(device: torch.device) -> Iterator[Callable[[], int]]:
    """Yield a function that returns by how many bytes memory grew at most since the block began."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        yield lambda: torch.cuda.max_memory_allocated(device) - before
        return
    _return_free_memory()
    _return_at_once_from(SMALL_BYTES)
    _reset_peak()
    # Pages of files, such as torch's code, come and go as the kernel likes, and are no memory of the step.
    before = _resident_bytes("VmRSS") - _resident_bytes("RssFile")
    highest: list[int] = []
    try:
        yield lambda: max(0, highest[0] - before)
    finally:
        highest.append(_resident_bytes("VmHWM") - _resident_bytes("RssFile"))
        _return_at_once_from(LARGE_BYTES)


def _return_free_memory() -> None:
    # glibc keeps what was freed, and a later step would seem to need no memory of its own.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)


def _return_at_once_from(size: int) -> None:
    # Holes between freed tensors would count as memory; that they are given back costs time, though.
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(M_MMAP_THRESHOLD, size)


def _reset_peak() -> None:
    try:
        CLEAR_REFS.write_text(RESET_PEAK)
    except OSError as error:
        raise InputError(
            CLEAR_REFS,
            f"no way to measure the peak memory of a CPU ({error.strerror})",
            "Linux, with /proc of this process writable",
            "Measure on Linux, or on a GPU.",
        ) from error


def _resident_bytes(name: str) -> int:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024
