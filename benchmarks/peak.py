"""Peak memory and time of a step, in a process of its own."""

import multiprocessing
import resource
import time
from collections.abc import Callable


def measure_peak(step: Callable[..., None], *arguments: object) -> str:
    """Return the peak resident memory of a process that does `step`, and its seconds, as text."""
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    process = context.Process(target=_measured, args=(step, arguments, answers))
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError(f"{step.__name__} ended with {process.exitcode}")
    gigabytes, seconds = answers.get()
    return f"{gigabytes:.2f} GB, {seconds:.0f} s"


def _measured(step: Callable[..., None], arguments: tuple, answers) -> None:
    started = time.perf_counter()
    step(*arguments)
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answers.put((peak_kb * 1024 / 1e9, time.perf_counter() - started))
