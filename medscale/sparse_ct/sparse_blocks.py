"""Large sparse matrices as blocks of rows, kept between calls where memory allows."""

import warnings
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

# Blocks of this size stay in the processor's cache while they are built and used.
BLOCK_ENTRIES = 1 << 20


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


def csr_block(columns: Tensor, values: Tensor, width: int) -> Tensor:
    """Return the matrix with these columns (int32) and values in each row, both (rows, entries)."""
    rows, entries = columns.shape
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
