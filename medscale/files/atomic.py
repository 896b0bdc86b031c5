"""Files appear whole or not at all."""

import errno
import glob
import os
import platform
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medscale.errors import InputError


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` when the block ends well.

    The temporary file keeps the suffix of `path`, so that writers which look at it work, and is
    removed when the block raises. What a killed process of this machine left beside `path` is removed
    first. A full disk becomes an `InputError` that names the file.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    prefix = f"{_mark(path)}{os.getpid()}-"
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=prefix, suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _flush_to_disk(temporary)
        temporary.chmod(0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise InputError(
            path,
            "no space left on its disk",
            "room for the whole file",
            "Free some space or run with --directory on another disk, then run the same command again.",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _mark(path: Path) -> str:
    """Return how temporary files for `path` begin on this machine, up to the process number."""
    return f".{path.stem}.{platform.node()}."


def _remove_leftovers(path: Path) -> None:
    mark = _mark(path)
    for leftover in path.parent.glob(f"{glob.escape(mark)}*{path.suffix}"):
        process = leftover.name.removeprefix(mark).split("-")[0]
        if process.isdigit() and not _is_alive(int(process)):
            leftover.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _flush_to_disk(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
