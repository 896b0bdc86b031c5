"""Large sparse matrices as blocks of rows, kept between calls where memory allows."""

import warnings
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

# Blocks of this size stay in the processor's cache while they are built and used.
BLOCK_ENTRIES = 1 << 20
# Zeros before and behind each line of values stand for everything outside it.
PAD_BEFORE, PAD_AFTER = 1, 2


class SparseBlocks:
    """The blocks of one matrix for each precision and device that asks for them.

    Parameters
    ----------
    build : callable
        Makes the blocks for a dtype and a device, one after another.
    entries : int
        Number of entries of the whole matrix.
    cache_gb : float
        Blocks are kept if all of them need no more memory than this; else they are built anew each time.
    """

    def __init__(
        self,
        build: Callable[[torch.dtype, torch.device], Iterator[Tensor]],
        entries: int,
        cache_gb: float,
    ):
        self._build, self._entries, self._cache_gb = build, entries, cache_gb
        self._kept: dict[tuple[torch.dtype, torch.device], list[Tensor]] = {}

    def __call__(self, like: Tensor) -> Iterator[Tensor]:
        """Yield the blocks with the dtype and on the device of `like`."""
        key = (like.dtype, like.device)
        if key not in self._kept:
            blocks = self._build(*key)
            if self._entries * (like.element_size() + 4) > self._cache_gb * 1e9:
                yield from blocks
                return
            self._kept[key] = list(blocks)
        yield from self._kept[key]


def block_rows(entries_per_row: int) -> int:
    """Return the number of rows of a block."""
    return max(1, BLOCK_ENTRIES // entries_per_row)


def interpolation_block(
    position: Tensor, length: int, first_column: Tensor, weight: Tensor | float, width: int
) -> Tensor:
    """Return the matrix that interpolates linearly at these positions along lines of values.

    Parameters
    ----------
    position : Tensor, shape (rows, lines)
        Where each row reads in each line, in samples; overwritten. What lies outside a line is 0.
    length : int
        Samples of a line, which stand behind `PAD_BEFORE` zeros and before `PAD_AFTER`.
    first_column : Tensor of int32, broadcast to `position`
        Column at which the padded line begins.
    weight : Tensor or float, broadcast to `position`
        Factor of what is read.
    width : int
        Columns of the matrix.
    """
    before = position.clamp_(-PAD_BEFORE, length).floor()
    share = position.sub_(before).mul_(weight)
    columns = torch.empty((*before.shape, 2), dtype=torch.int32, device=before.device)
    columns[..., 0] = before
    columns[..., 0] += first_column + PAD_BEFORE
    torch.add(columns[..., 0], 1, out=columns[..., 1])
    values = torch.stack([weight - share, share], dim=-1)
    rows, entries = len(columns), 2 * before.shape[1]
    starts = torch.arange(rows + 1, dtype=torch.int32, device=columns.device) * entries
    return _csr(starts, columns.flatten(), values.flatten(), (rows, width))


def transposed(block: Tensor) -> Tensor:
    """Return the transpose of a CSR matrix as CSR, so that each sum is made by one thread."""
    by_column = block.to_sparse_csc()
    height, width = block.shape
    return _csr(by_column.ccol_indices(), by_column.row_indices(), by_column.values(), (width, height))


def _csr(starts: Tensor, columns: Tensor, values: Tensor, shape: tuple[int, int]) -> Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
        return torch.sparse_csr_tensor(starts, columns, values, size=shape, check_invariants=False)
