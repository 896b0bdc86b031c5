"""Checks of the names in a configuration."""

from collections.abc import Iterable, Sequence

from medscale.errors import InputError


def check_known(where: str, name: str, known: Iterable[str]) -> None:
    """Raise an `InputError` unless `name`, which stands at `where` in the configuration, is known."""
    if name not in known:
        raise InputError(where, repr(name), f"one of {', '.join(known)}", "Correct the name.")


def check_unique(where: str, names: Sequence[str]) -> None:
    """Raise an `InputError` for the first of these names that stands there a second time."""
    twice = [name for number, name in enumerate(names) if name in names[:number]]
    if twice:
        raise InputError(where, f"{twice[0]!r} twice", "names that nothing else has", "Rename one of them.")
