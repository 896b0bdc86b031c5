"""Where a result came from: a JSON sidecar beside every file."""

import hashlib
import json
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from medscale.files.tables import read_json, write_json

SUFFIX = ".provenance.json"
WHOLE_FILE_BYTES = 64 * 2**20
SAMPLES, SAMPLE_BYTES = 256, 2**16
PACKAGES = (
    "snakemake",
    "torch",
    "lightning",
    "numpy",
    "pandas",
    "scipy",
    "scikit-learn",
    "opencv-python-headless",
    "openslide-python",
    "openslide-bin",
    "tifffile",
    "imagecodecs",
    "scikit-image",
    "h5py",
    "nibabel",
    "pydicom",
    "python-gdcm",
)


@dataclass(frozen=True)
class Origin:
    """What all outputs of one job share.

    Attributes
    ----------
    rule : str
    inputs : list of str
    code : list of str
        Files of the library that the rule's script uses.
    config : dict
        Every setting that the job was given.
    run : dict
        What differs from run to run and decides nothing: start, seconds, host, device.
    """

    rule: str
    inputs: list[str]
    code: list[str]
    config: dict[str, Any]
    run: dict[str, Any]


def write_sidecars(outputs: Iterable[str | Path], origin: Origin) -> None:
    """Write `{output}.provenance.json` for each output of a job."""
    shared = {
        "rule": origin.rule,
        "config": origin.config,
        "inputs": {path: digest(path) for path in sorted(origin.inputs)},
        "code": digest_together(sorted(origin.code), {}),
        "versions": versions(),
        "commit": commit(),
        "run": origin.run,
    }
    for path in outputs:
        write_json({"output": Path(path).name, "digest": digest(path), **shared}, f"{path}{SUFFIX}")


def read_seconds(path: str | Path) -> float:
    """Return the seconds of the job that wrote a file; NaN where it has no sidecar."""
    sidecar = Path(f"{path}{SUFFIX}")
    return float(read_json(sidecar)["run"]["seconds"]) if sidecar.is_file() else float("nan")


def digest(path: str | Path) -> str:
    """Return the SHA-256 of a file, or for a large one that of its size and 256 samples of 64 KiB.

    Reading every byte of a 4 GB slide in every job would cost more than the work itself.
    """
    size = Path(path).stat().st_size
    with open(path, "rb") as file:
        if size <= WHOLE_FILE_BYTES:
            return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
        total = hashlib.sha256(str(size).encode())
        for number in range(SAMPLES):
            file.seek(number * (size - SAMPLE_BYTES) // (SAMPLES - 1))
            total.update(file.read(SAMPLE_BYTES))
    return "sampled-sha256:" + total.hexdigest()


def digest_together(paths: Iterable[str | Path], settings: dict[str, Any]) -> str:
    """Return one short digest of several files, in their order, and settings."""
    total = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode())
    for path in paths:
        total.update(digest(path).encode())
    return total.hexdigest()[:24]


@cache
def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that decide results."""
    installed = {name: metadata.version(name) for name in PACKAGES if _is_installed(name)}
    return {"python": platform.python_version(), **installed}


@cache
def commit() -> str | None:
    """Return the commit of the library's repository, with `+changes` if files differ from it."""
    root = Path(__file__).resolve().parents[2]
    try:
        answer = subprocess.run(
            [
                "git",
                "-C",
                str(root),
                "describe",
                "--always",
                "--abbrev=40",
                "--dirty=+changes",
                "--exclude=*",
            ],
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
