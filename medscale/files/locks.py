"""One process at a time for work that must not be done twice at once."""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger(__name__)


@contextmanager
def exclusive(path: str | Path) -> Iterator[None]:
    """Hold the lock file `path`; wait while another process holds it.

    The kernel frees the lock when its holder ends in whatever way, so that none is ever left over.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            log.warning("waiting for process %s, which does the same work (%s)", file.read().strip(), path)
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
