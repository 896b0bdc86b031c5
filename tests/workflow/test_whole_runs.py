"""Whole runs on tiny demo data: repeatable, idle when done, and unharmed by kill -9."""

import filecmp
import os
import signal
import time
from pathlib import Path

import pytest

# What each study makes, by its target.
RESULTS = {
    "pathology": (
        "results/pn_stage.csv",
        "results/metrics/pathology.json",
        "results/pathology/features.csv",
        "results/pathology/slide_classes.csv",
        "results/pathology/balancing_study.csv",
    ),
    "sparse_ct": (
        "results/metrics/sparse_ct.json",
        "results/sparse_ct/quality.csv",
        "results/sparse_ct/batch_growth.csv",
        "results/sparse_ct/batch_growth.cost.csv",
        "results/sparse_ct/figures/views.png",
    ),
    "kits19": (
        "results/metrics/kits19.json",
        "results/kits19/comparison.csv",
        "results/kits19/study.csv",
        "results/kits19/comparison.cost.csv",
        "results/kits19/figures/missed_tumour.png",
    ),
    "scans": (
        "results/metrics/scans.json",
        "results/scans/classification.csv",
        "results/scans/segmentation.csv",
        "results/scans/architectures.csv",
        "results/scans/volumes.csv",
        "results/scans/architectures.cost.csv",
        "results/scans/figures/outlines.png",
    ),
}
# Time, memory and host differ between runs; locks are left for the next run.
NOT_COMPARED = (".lock", ".provenance.json", ".cost.csv")


def _differing(one: Path, other: Path, study: str) -> list[str]:
    """Return the results of a study that differ."""
    names = {
        str(path.relative_to(folder))
        for folder in (one, other)
        for path in (folder / "results" / study).rglob("*")
        if path.is_file() and not path.name.endswith(NOT_COMPARED)
    }
    names |= {name for name in RESULTS[study] if not name.endswith(NOT_COMPARED)}
    return sorted(
        name
        for name in names
        if not all((folder / name).exists() for folder in (one, other))
        or not filecmp.cmp(one / name, other / name, shallow=False)
    )


def test_the_run_leaves_all_its_results(tiny_run):
    expected = [name for names in RESULTS.values() for name in names]
    assert [name for name in expected if not (tiny_run / name).is_file()] == []


def test_a_second_run_does_nothing(tiny_run, snakemake):
    again = snakemake(tiny_run, "--dry-run")
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout


@pytest.mark.parametrize(
    ("study", "wanted"),
    [
        ("pathology", RESULTS["pathology"][:4]),
        ("sparse_ct", RESULTS["sparse_ct"][:2]),
        ("kits19", RESULTS["kits19"][:2]),
        ("scans", RESULTS["scans"][:5]),
    ],
)
def test_a_run_from_scratch_with_one_core_gives_the_same_bytes(tiny_run, snakemake, tmp_path, study, wanted):
    done = snakemake(tmp_path, "--cores=1", *wanted)
    assert done.returncode == 0, done.stdout[-3000:]
    for name in wanted:
        assert filecmp.cmp(tiny_run / name, tmp_path / name, shallow=False), name


def _wait_for(pattern: str, folder: Path, process) -> None:
    deadline = time.monotonic() + 240
    while not any(folder.glob(pattern)):
        assert process.poll() is None, (folder / "driver.log").read_text()[-3000:]
        assert time.monotonic() < deadline, f"{pattern} never appeared"
        time.sleep(0.02)


def _kill_when(pattern: str, folder: Path, process, whole_group: bool) -> None:
    _wait_for(pattern, folder, process)
    if whole_group:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


TARGETS = {
    "pathology": ["pathology"],
    "sparse_ct": ["sparse_ct"],
    "kits19": ["kits19", "results/kits19/study.csv"],
    "scans": ["scans"],
}
# The work of long jobs that is kept, each in turn the moment of a kill.
KILLS = {
    "pathology": ["train_classifier-*/last.ckpt", "map_probabilities_*/*.tif"],
    "sparse_ct": ["train_trunk-*/last.ckpt", "train_schedule-*/last.ckpt"],
    "kits19": ["train_generator-*/last.ckpt", "train_segmenter-*/last.ckpt"],
    "scans": ["train_image_classifier-*/last.ckpt", "train_mask_segmenter-*/last.ckpt"],
}


@pytest.mark.parametrize(
    ("study", "whole_group"),
    [("pathology", True), ("pathology", False), ("sparse_ct", True), ("kits19", True), ("scans", True)],
    ids=[
        "pathology, all processes",
        "pathology, the driver alone",
        "sparse_ct, all processes",
        "kits19, all processes",
        "scans, all processes",
    ],
)
def test_kills_in_long_jobs_change_no_byte(
    tiny_run, snakemake, start_snakemake, tmp_path, study, whole_group
):
    for pattern in KILLS[study]:
        process = start_snakemake(tmp_path, *TARGETS[study])
        _kill_when(f"results/checkpoints/{pattern}", tmp_path, process, whole_group)
        assert not (tmp_path / f"results/metrics/{study}.json").exists()
        assert snakemake(tmp_path, "--unlock").returncode == 0
    done = snakemake(tmp_path, *TARGETS[study])
    assert done.returncode == 0, done.stdout[-3000:]
    assert _differing(tiny_run, tmp_path, study) == []
