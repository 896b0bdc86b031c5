"""Whole runs on tiny demo data: repeatable, idle when done, and unharmed by kill -9."""

import filecmp
import os
import signal
import time
from pathlib import Path

import pytest

RESULTS = (
    "results/pn_stage.csv",
    "results/metrics/pathology.json",
    "results/pathology/features.csv",
    "results/pathology/slide_classes.csv",
    "results/pathology/balancing_study.csv",
)


def _differing(one: Path, other: Path) -> list[str]:
    """Return the result files that differ, provenance and benchmarks apart."""
    names = {
        str(path.relative_to(folder))
        for folder in (one, other)
        for path in (folder / "results").rglob("*")
        if path.is_file() and path.suffix != ".lock" and not path.name.endswith(".provenance.json")
    }
    return sorted(
        name
        for name in names
        if not all((folder / name).exists() for folder in (one, other))
        or not filecmp.cmp(one / name, other / name, shallow=False)
    )


def test_the_run_leaves_all_its_results(tiny_run):
    assert [name for name in RESULTS if not (tiny_run / name).is_file()] == []


def test_a_second_run_does_nothing(tiny_run, snakemake):
    again = snakemake(tiny_run, "--dry-run")
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout


def test_a_run_from_scratch_with_one_core_gives_the_same_bytes(tiny_run, snakemake, tmp_path):
    done = snakemake(tmp_path, "--cores=1", "results/pn_stage.csv", "results/metrics/pathology.json")
    assert done.returncode == 0, done.stdout[-3000:]
    for name in RESULTS[:4]:
        assert filecmp.cmp(tiny_run / name, tmp_path / name, shallow=False), name


def _wait_for(pattern: str, folder: Path, process) -> None:
    deadline = time.monotonic() + 240
    while not any(folder.glob(pattern)):
        assert process.poll() is None, (folder / "driver.log").read_text()[-3000:]
        assert time.monotonic() < deadline, f"{pattern} never appeared"
        time.sleep(0.02)


def _kill_when(pattern: str, folder: Path, start, whole_group: bool) -> None:
    process = start(folder)
    _wait_for(pattern, folder, process)
    if whole_group:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


@pytest.mark.parametrize("whole_group", [True, False], ids=["all processes", "the driver alone"])
def test_kills_in_training_and_in_heatmaps_change_no_byte(
    tiny_run, snakemake, start_snakemake, tmp_path, whole_group
):
    _kill_when("results/checkpoints/train_classifier-*/last.ckpt", tmp_path, start_snakemake, whole_group)
    assert not (tmp_path / "results/pn_stage.csv").exists()
    assert snakemake(tmp_path, "--unlock").returncode == 0
    _kill_when("results/checkpoints/map_probabilities_*/*.tif", tmp_path, start_snakemake, whole_group)
    assert not (tmp_path / "results/pn_stage.csv").exists()
    assert snakemake(tmp_path, "--unlock").returncode == 0
    done = snakemake(tmp_path)
    assert done.returncode == 0, done.stdout[-3000:]
    assert _differing(tiny_run, tmp_path) == []
