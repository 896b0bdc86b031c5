import subprocess
import sys

import numpy as np
import pytest
import torch

from medscale.errors import InputError
from medscale.networks.registry import build_network
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
    assert cost.peak_bytes / MB == pytest.approx(20 + 40 * batch_size, rel=0.03)


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


def _train_step(checkpointing=False):
    def build(batch_size):
        network = build_network("unet", 0, width=8, depth=2, activation_checkpointing=checkpointing)
        optimiser = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
        images = torch.rand(batch_size, 1, 128, 128)

        def step():
            optimiser.zero_grad()
            (network(images) - images).abs().mean().backward()
            optimiser.step()

        return step

    return build


@linux
def test_the_memory_of_training_grows_with_the_batch_and_checkpointing_saves_some():
    small, large = (measure_step(_train_step(), size, CPU, steps=1) for size in (4, 16))
    assert large.peak_bytes == pytest.approx(4 * small.peak_bytes, rel=0.3)
    assert large.seconds_per_image > 0
    saving = measure_step(_train_step(checkpointing=True), 16, CPU, steps=1)
    assert saving.peak_bytes < 0.85 * large.peak_bytes


@linux
def test_the_peak_agrees_with_that_of_a_process_of_its_own():
    code = f"""
import resource, sys
sys.path.insert(0, {str(memory.__file__.rsplit("/medscale/", 1)[0])!r})
import torch
from torch import nn
torch.set_num_threads(1)
layer = nn.Conv2d(1, 32, 3, padding=1)
def step(size):
    images = torch.rand(size, 1, 256, 256)
    torch.tanh(layer(images)).mean().backward()
step(1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
step(24)
print(1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    def build(batch_size):
        layer = torch.nn.Conv2d(1, 32, 3, padding=1)

        def step():
            images = torch.rand(batch_size, 1, 256, 256)
            torch.tanh(layer(images)).mean().backward()

        return step

    assert measure_step(build, 24, CPU).peak_bytes == pytest.approx(int(done.stdout), rel=0.2)


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
