"""What every script shares: its log, errors in plain words, its device, and provenance."""

import logging
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from medscale.errors import InputError
from medscale.files.provenance import Origin, digest_together, write_sidecars

log = logging.getLogger("medscale")


class Job:
    """One job as its script sees it.

    Attributes
    ----------
    cfg : dict
        The settings of the rule's `params: cfg=`.
    gpus : int
        GPUs that the scheduler granted.
    device : torch.device or str
        Where the job ran; a script that uses another device sets it.
    """

    def __init__(self, snakemake: Any):
        self.cfg: dict[str, Any] = snakemake.params.get("cfg", {})
        self.gpus: int = snakemake.resources.get("gpu", 0)
        self.device: Any = "cpu"
        self._snakemake = snakemake

    def checkpoints(self, *inputs: str) -> Path:
        """Return the folder where this job keeps what must survive a kill.

        Its name follows from the settings and from the content of `inputs`: work that was done with
        others is never resumed.
        """
        key = digest_together(inputs, dict(self._snakemake.params.items()))
        return Path("results/checkpoints") / f"{self._snakemake.rule}-{key}"


@contextmanager
def job(snakemake: Any) -> Iterator[Job]:
    """Run the body of a script: log to the rule's log, explain user errors, write sidecars at the end."""
    _start_logging(snakemake.log[0])
    started, clock, this = datetime.now(UTC), time.monotonic(), Job(snakemake)
    try:
        yield this
    except InputError as error:
        log.error("%s", error)
        sys.exit(1)
    except Exception:
        log.exception("%s failed", snakemake.rule)
        raise
    run = {
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - clock, 3),
        "device": str(this.device),
        "host": platform.node(),
    }
    code = list(snakemake.input.get("code", []))
    inputs = [path for path in snakemake.input if path not in set(code)]
    origin = Origin(snakemake.rule, inputs, code, dict(snakemake.params.items()), run)
    write_sidecars(snakemake.output, origin)


def _start_logging(path: str) -> None:
    to_file, to_screen = logging.FileHandler(path, mode="w"), logging.StreamHandler()
    to_screen.setLevel(logging.WARNING)
    # Python itself prints the traceback of an error that ends the script.
    to_screen.addFilter(lambda record: not record.exc_info)
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        datefmt="%H:%M:%S",
        handlers=[to_file, to_screen],
        force=True,
    )
    logging.captureWarnings(True)
    for noisy in ("matplotlib", "PIL", "fsspec", "torch", "lightning"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
