import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from medscale.errors import InputError
from medscale.training import memory
from medscale.training.memory import StepCost, largest_batch, measure_step, memory_budget

CPU = torch.device("cpu")
MB = 1_000_000
linux = pytest.mark.skipif(not memory.CLEAR_REFS.exists(), reason="peaks of the CPU are measured on Linux")


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def _allocate(megabytes_per_image):
    """A step that holds so much for a moment, beside what building it leaves behind."""

    def build(batch_size):
        kept = np.ones(20 * MB // 8)

        def step():
            return np.ones(int(megabytes_per_image * batch_size * MB) // 8).sum() + kept[0]

        return step

    return build


@linux
@pytest.mark.parametrize("batch_size", [1, 3, 10])
def test_the_peak_is_what_was_allocated_at_once(batch_size):
    cost = measure_step(_allocate(40), batch_size, CPU)
    assert cost.batch_size == batch_size
    # What other threads of the process allocate meanwhile counts too.
    assert cost.peak_bytes / MB == pytest.approx(20 + 40 * batch_size, abs=8)


@linux
def test_a_step_is_charged_for_memory_that_a_larger_one_freed():
    """The allocator keeps freed memory, which would make every later step seem free of charge."""

    def blocks(batch_size):
        # Small enough to come from the allocator's own heap.
        return lambda: [np.ones(8_000) for _ in range(500 * batch_size)]

    first = measure_step(blocks, 2, CPU).peak_bytes
    measure_step(blocks, 8, CPU)
    assert measure_step(blocks, 2, CPU).peak_bytes == pytest.approx(first, rel=0.1)
    assert first / MB == pytest.approx(2 * 500 * 8_000 * 8 / MB, rel=0.15)


MEASURE = """
import json, torch
from torch import nn
from medscale.networks.registry import build_network
from medscale.training.memory import measure_step
torch.set_num_threads(1)
cpu = torch.device("cpu")

def status(name):
    return next(1024 * int(line.split()[1]) for line in open("/proc/self/status") if name in line)

def convolve(size):
    layer = nn.Conv2d(1, 32, 3, padding=1)
    return lambda: torch.tanh(layer(torch.rand(size, 1, 256, 256))).mean().backward()

convolve(1)()
before = status("VmRSS")
convolve(6)()
watched = status("VmHWM") - before

def train(part, **settings):
    def build(size):
        network = build_network("unet", 0, width=8, depth=3, **settings)
        images = torch.rand(size, 1, 128, 128)
        return lambda: [(network(some) - some).abs().mean().backward() for some in images.split(part)]
    return build

measured = {
    "convolution": measure_step(convolve, 6, cpu, steps=1),
    "small": measure_step(train(99), 3, cpu, steps=1),
    "large": measure_step(train(99), 12, cpu, steps=1),
    "checkpointed": measure_step(train(99, activation_checkpointing=True), 12, cpu, steps=1),
    "in parts": measure_step(train(3), 12, cpu, steps=1),
}
print(json.dumps({"watched": watched} | {name: cost.peak_bytes for name, cost in measured.items()}))
"""


@linux
def test_peaks_of_trainings_in_a_process_of_their_own(root):
    # Every tensor is mapped by itself: the fragments of a heap would add some tens of megabytes.
    environment = {**os.environ, "PYTHONPATH": str(root), "MALLOC_MMAP_THRESHOLD_": "250000"}
    command = [sys.executable, "-c", MEASURE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    peaks = json.loads(done.stdout)
    # The kernel's own record of the peak, before anything reset it.
    assert peaks["convolution"] == pytest.approx(peaks["watched"], rel=0.05)
    assert peaks["large"] == pytest.approx(4 * peaks["small"], rel=0.2)
    assert peaks["in parts"] == pytest.approx(peaks["small"], rel=0.2)
    assert peaks["checkpointed"] < 0.6 * peaks["large"]


def test_a_system_without_peaks_is_told_so(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "CLEAR_REFS", tmp_path / "none/clear_refs")
    with pytest.raises(InputError, match="no way to measure the peak memory of a CPU"):
        measure_step(_allocate(1), 1, CPU)


def _linear(bytes_per_image, tried, fixed=0, breaks_at=None, error=MemoryError):
    def measure(batch_size):
        tried.append(batch_size)
        if breaks_at and batch_size >= breaks_at:
            raise error
        return StepCost(batch_size, fixed + bytes_per_image * batch_size, 0.1)

    return measure


@pytest.mark.parametrize(
    ("budget", "limit", "expected"),
    [
        (1000, 64, 10),
        (999, 64, 9),
        (99, 64, 0),
        (100, 64, 1),
        (10_000, 64, 64),
        (10_000, 1, 1),
        (6400, 100, 64),
    ],
)
def test_the_largest_batch_fits_and_the_next_does_not(budget, limit, expected):
    tried = []
    assert largest_batch(_linear(100, tried), budget, limit) == expected
    assert max(tried) <= limit
    # Never more than twice what fits, and few trials.
    assert max(tried) <= max(1, 2 * expected)
    assert len(tried) <= 2 * np.log2(limit) + 2
    assert len(tried) == len(set(tried))


@pytest.mark.parametrize("error", [MemoryError, torch.OutOfMemoryError])
def test_running_out_of_memory_counts_as_not_fitting(error):
    assert largest_batch(_linear(1, [], breaks_at=14, error=error), 1e9, 64) == 13


def test_other_errors_are_not_taken_for_a_lack_of_memory():
    with pytest.raises(RuntimeError, match="wrong shape"):
        largest_batch(_linear(1, [], breaks_at=2, error=RuntimeError("wrong shape")), 1e9, 64)


def test_the_budget_of_a_cpu_is_the_configured_one():
    assert memory_budget(CPU, 1.5) == 1.5e9
