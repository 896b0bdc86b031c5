"""What a network is trained on: slices, or blocks of neighbouring slices, and how often each is shown.

The thesis balances its classes in three steps (section 5.4.1): all slices; only slices that show a kidney or
a tumour; and slices with tumour repeated. `Balancing` holds all three.

Blocks are always whole pieces of one patient in anatomical order. The thesis's code appends the repeated
slices to the end of a patient's stack and cuts blocks afterwards, so that some of its blocks jump from the
last slice of the abdomen back to the first tumour, and go through one tumour several times; the slices that
it drops leave further gaps. Those blocks show no anatomy and are not made here: a block with tumour is
repeated as a whole.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

SLICE_COLUMNS = ["case", "slice", "kidney_px", "tumour_px"]
BLOCK_COLUMNS = ["case", "first", "slices", "tumour_px", "repeats"]
KIDNEY, TUMOUR = 1, 2


@dataclass(frozen=True)
class Balancing:
    """How training data are brought nearer to as much tumour and kidney as background.

    The thesis's steps are `Balancing(False, 0)`, `Balancing(True, 0)` and `Balancing(True, 4)`.

    Attributes
    ----------
    drop_background : bool
        Leave out slices that show neither kidney nor tumour; blocks keep to the kidneys' range.
    repeat_tumours : int
        How many more times an epoch shows what contains tumour.
    """

    drop_background: bool
    repeat_tumours: int

    def repeats(self, tumour_px: pd.Series) -> pd.Series:
        """Return how often each sample with so many pixels of tumour is shown."""
        return 1 + self.repeat_tumours * (tumour_px > 0).astype("int64")


def tabulate_slices(case: str, labels: np.ndarray) -> pd.DataFrame:
    """Count the pixels of kidney and tumour in every slice.

    Parameters
    ----------
    labels : ndarray, shape (slices, rows, columns)
        0 background, 1 kidney, 2 tumour.

    Returns
    -------
    DataFrame
        case, slice, kidney_px, tumour_px.
    """
    counts = {
        name: np.count_nonzero(labels == label, axis=(1, 2)).astype("int64")
        for name, label in (("kidney_px", KIDNEY), ("tumour_px", TUMOUR))
    }
    return pd.DataFrame({"case": case, "slice": np.arange(len(labels)), **counts}, columns=SLICE_COLUMNS)


def choose_slices(slices: pd.DataFrame, balancing: Balancing) -> pd.DataFrame:
    """Return the slices that are trained on, in the order of `slices`.

    Parameters
    ----------
    slices : DataFrame
        Of `tabulate_slices`, of one or more cases.

    Returns
    -------
    DataFrame
        case, slice, kidney_px, tumour_px, repeats. It has no row where no slice shows a kidney and
        background is dropped.
    """
    chosen = slices[_shows_kidney(slices)] if balancing.drop_background else slices
    repeats = balancing.repeats(chosen["tumour_px"])
    return chosen.assign(repeats=repeats)[[*SLICE_COLUMNS, "repeats"]].reset_index(drop=True)


def cut_blocks(slices: pd.DataFrame, depth: int, overlap: int, balancing: Balancing) -> pd.DataFrame:
    """Cut cases into blocks of neighbouring slices.

    A block begins `depth - overlap` slices after the one before; the last one is moved back to end with the
    last slice. Where background is dropped, blocks cover the range from the first to the last slice with
    kidney or tumour, with all slices between. A range shorter than a block is widened to both sides as far
    as the case goes; only a case with fewer slices than a block has to be padded, at its end. The thesis
    skips patients with fewer than 32 such slices instead: 65 of 180 (counted on today's labels).

    Parameters
    ----------
    slices : DataFrame
        Of `tabulate_slices`: every slice of each case.
    depth : int
        Slices in a block.
    overlap : int
        Slices that a block shares with the one before, 0 to `depth - 1`.

    Returns
    -------
    DataFrame
        case, first, slices (the depth), tumour_px, repeats. A block whose `first + slices` exceeds the
        slices of its case is to be padded. A case without kidney has none where background is dropped.
    """
    blocks = [
        (case, first, depth, int(rows["tumour_px"].iloc[first : first + depth].sum()))
        for case, rows in slices.groupby("case", sort=False)
        for first in _place_blocks(*_useful_range(rows, depth, balancing), depth, overlap)
    ]
    table = pd.DataFrame(blocks, columns=BLOCK_COLUMNS[:-1])
    # A table without rows would have columns of no type.
    table = table.astype(dict.fromkeys(BLOCK_COLUMNS[1:-1], "int64"))
    return table.assign(repeats=balancing.repeats(table["tumour_px"]))


def block_starts(slices: int, depth: int, overlap: int) -> list[int]:
    """Return where blocks begin that cover all slices; the last is moved back to end with them.

    A single block that is longer than the case begins at 0.

    Raises
    ------
    ValueError
        If the overlap is negative or leaves no way forward.
    """
    if not 0 <= overlap < depth:
        raise ValueError(f"an overlap of {overlap} for blocks of {depth} slices")
    last = max(0, slices - depth)
    return [*range(0, last, depth - overlap), last]


def _shows_kidney(slices: pd.DataFrame) -> pd.Series:
    return slices["kidney_px"] + slices["tumour_px"] > 0


def _useful_range(rows: pd.DataFrame, depth: int, balancing: Balancing) -> tuple[int, int]:
    """Return the first slice that a case's blocks cover, and the one after the last."""
    if not balancing.drop_background:
        return 0, len(rows)
    shown = np.flatnonzero(_shows_kidney(rows))
    if len(shown) == 0:
        return 0, 0
    first, end = int(shown[0]), int(shown[-1]) + 1
    if end - first >= depth:
        return first, end
    widened = max(0, min(first - (depth - (end - first)) // 2, len(rows) - depth))
    return widened, min(widened + depth, len(rows))


def _place_blocks(start: int, end: int, depth: int, overlap: int) -> list[int]:
    """Return where the blocks that cover slices `start` to `end` (not included) begin."""
    return [start + first for first in block_starts(end - start, depth, overlap)] if end > start else []
