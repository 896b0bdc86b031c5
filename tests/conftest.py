"""What all tests share: the repository, real data, and one whole run on tiny demo data."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TINY = ROOT / "tests/tiny.yaml"


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's folder."""
    return ROOT


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data; skips the test where it is missing, unless the environment insists on it."""
    folder = ROOT / os.environ.get("MEDSCALE_TEST_DATA", "../shared/data")
    if not folder.is_dir():
        message = f"no real data at {folder}: set MEDSCALE_TEST_DATA"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder


def snakemake_command(folder: Path, *arguments: str, config: Path = TINY) -> list[str]:
    """Return the command that runs the workflow in `folder`, two jobs at a time."""
    return [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")),
        *("--directory", str(folder), "--configfile", str(config)),
        *("--cores", "2", "--resources=gpu=2", *arguments),
    ]


def run_snakemake(folder: Path, *arguments: str, config: Path = TINY) -> subprocess.CompletedProcess:
    """Run the workflow in `folder`; standard output and error come back together, as text."""
    return subprocess.run(
        snakemake_command(folder, *arguments, config=config),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="session")
def snakemake():
    """The function `run_snakemake`."""
    return run_snakemake


@pytest.fixture(scope="session")
def start_snakemake():
    """A function that starts the workflow in a process group of its own."""

    def start(folder: Path, *arguments: str) -> subprocess.Popen:
        log = open(folder / "driver.log", "w")  # noqa: SIM115
        return subprocess.Popen(
            snakemake_command(folder, *arguments), cwd=ROOT, stdout=log, stderr=log, start_new_session=True
        )

    return start


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory) -> Path:
    """The folder of one undisturbed run of everything on tiny demo data. Not to be changed by tests."""
    folder = tmp_path_factory.mktemp("tiny")
    done = run_snakemake(folder)
    assert done.returncode == 0, done.stdout[-5000:]
    return folder
