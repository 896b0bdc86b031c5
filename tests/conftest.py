"""What all tests share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


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
