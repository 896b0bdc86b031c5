"""The one error that reaches the person who can mend its cause."""

from pathlib import Path


class InputError(ValueError):
    """Something the user gave cannot be used.

    Parameters
    ----------
    where : str or Path
        The file, sheet row or config key that is at fault.
    found : str
        The value that was found there.
    expected : str
        What would have been accepted.
    mend : str
        What the reader can do about it, as an imperative sentence.
    """

    def __init__(self, where: str | Path, found: str, expected: str, mend: str):
        self.where, self.found, self.expected, self.mend = str(where), found, expected, mend
        super().__init__(f"{where}: found {found}; expected {expected}. {mend}")

    def __reduce__(self):
        return type(self), (self.where, self.found, self.expected, self.mend)


def summarise_errors(failures: list[InputError]) -> InputError:
    """Return one error for all those that were met on the way."""
    first = failures[0]
    if len(failures) == 1:
        return first
    return InputError(
        f"{len(failures)} items, of which the first is {first.where}", first.found, first.expected, first.mend
    )
