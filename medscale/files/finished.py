"""Items of a long job that were finished before it was killed, kept until the job ends."""

import logging
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from medscale.errors import InputError, summarise_errors
from medscale.files.locks import exclusive

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Item:
    """One of the many results of a job.

    Attributes
    ----------
    name : str
        For messages, such as the slide's name.
    key : str
        Digest of all that this result alone depends on.
    outputs : list of Path
    """

    name: str
    key: str
    outputs: list[Path]


def make_each(items: Iterable[Item], make: Callable[[Item], None], folder: Path) -> None:
    """Make every item that is not already finished; a bad one does not cost the others.

    Snakemake removes all outputs of a job that fails. Finished outputs are therefore linked into
    `folder`, found there by the next run, and the folder is removed when all items are there.

    Raises
    ------
    InputError
        After all items were tried, if one or more could not be made.
    """
    failures: list[InputError] = []
    with exclusive(folder.with_suffix(".lock")):
        for item in items:
            try:
                _make_or_reuse(item, make, folder)
            except InputError as error:
                log.error("%s", error)
                failures.append(error)
        if failures:
            raise summarise_errors(failures)
        shutil.rmtree(folder, ignore_errors=True)


def _make_or_reuse(item: Item, make: Callable[[Item], None], folder: Path) -> None:
    kept = [folder / f"{item.key}-{output.name}" for output in item.outputs]
    if all(path.exists() for path in kept):
        log.info("%s: finished by an earlier run", item.name)
        for path, output in zip(kept, item.outputs, strict=True):
            output.unlink(missing_ok=True)
            os.link(path, output)
        return
    make(item)
    folder.mkdir(parents=True, exist_ok=True)
    for path, output in zip(kept, item.outputs, strict=True):
        path.unlink(missing_ok=True)
        os.link(output, path)
