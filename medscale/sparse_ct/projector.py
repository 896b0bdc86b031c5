"""Line integrals through images and their exact adjoint, as sparse matrices on any device.

Joseph's method (IEEE Trans. Med. Imaging 1(3), 1982): a ray steps along the axis it follows most, and
the image is interpolated linearly along the other. The same rays serve every image of a batch, so one
product of a sparse matrix with the whole batch costs little more than with one image.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial

import torch
from torch import Tensor, nn

from medscale.sparse_ct.geometry import ParallelBeam
from medscale.sparse_ct.sparse_blocks import (
    PAD_AFTER,
    PAD_BEFORE,
    SparseBlocks,
    block_rows,
    interpolation_block,
    transposed,
)


class Projector(nn.Module):
    """The forward projection of a scan; differentiable.

    Parameters
    ----------
    geometry : ParallelBeam or FanBeam
    cache_gb : float
        Matrices are kept for the next call if they need no more memory than this; otherwise each
        call builds them anew, block by block.
    """

    def __init__(self, geometry: ParallelBeam, cache_gb: float = 1.0):
        super().__init__()
        self.geometry = geometry
        rays = len(geometry.angles_rad) * geometry.detectors
        entries = rays * 2 * geometry.size_px
        self._matrix = SparseBlocks(partial(_blocks, geometry), entries, cache_gb)
        self._transpose = SparseBlocks(partial(_transposed_blocks, geometry), entries, cache_gb)

    def forward(self, images: Tensor) -> Tensor:
        """Return line integrals (n, views, detectors) of images (n, size, size), in units x mm."""
        return _Project.apply(images, self)

    def adjoint(self, sinograms: Tensor) -> Tensor:
        """Return images (n, size, size) from sinograms (n, views, detectors) by the transposed map."""
        return _Adjoint.apply(sinograms, self)

    def _project(self, images: Tensor) -> Tensor:
        columns = _spread(images)
        rays = torch.cat([block @ columns for block in self._matrix(images)])
        return rays.T.reshape(len(images), -1, self.geometry.detectors)

    def _backproject(self, sinograms: Tensor) -> Tensor:
        rays = sinograms.reshape(len(sinograms), -1).T.contiguous()
        total, first = 0, 0
        for block in self._transpose(sinograms):
            last = first + block.shape[1]
            total = total + block @ rays[first:last]
            first = last
        return _gather(total, self.geometry.size_px)


class _Project(torch.autograd.Function):
    @staticmethod
    def forward(context, images: Tensor, projector: Projector) -> Tensor:
        context.projector = projector
        return projector._project(images)

    @staticmethod
    def backward(context, sinograms: Tensor) -> tuple[Tensor, None]:
        return context.projector.adjoint(sinograms), None


class _Adjoint(torch.autograd.Function):
    @staticmethod
    def forward(context, sinograms: Tensor, projector: Projector) -> Tensor:
        context.projector = projector
        return projector._backproject(sinograms)

    @staticmethod
    def backward(context, images: Tensor) -> tuple[Tensor, None]:
        return context.projector(images), None


@lru_cache(maxsize=2)
def shared_projector(geometry: ParallelBeam) -> Projector:
    """Return the projector of a geometry, the same one as last time: its matrices take seconds to build."""
    return Projector(geometry)


def _spread(images: Tensor) -> Tensor:
    """Return (2 * size * padded width, n): the padded images above their padded transposes."""
    n, size, _ = images.shape
    # Neighbouring pixels of one image lie far apart, those of a batch side by side: one product serves all.
    batch_last = images.reshape(n, -1).T.contiguous().view(size, size, n)
    both = images.new_zeros(2, size, size + PAD_BEFORE + PAD_AFTER, n)
    both[0, :, PAD_BEFORE : PAD_BEFORE + size] = batch_last
    both[1, :, PAD_BEFORE : PAD_BEFORE + size] = batch_last.transpose(0, 1)
    return both.view(-1, n)


def _gather(columns: Tensor, size: int) -> Tensor:
    """The adjoint of `_spread`: (2 * size * padded width, n) to images (n, size, size)."""
    n = columns.shape[1]
    both = columns.view(2, size, size + PAD_BEFORE + PAD_AFTER, n)[:, :, PAD_BEFORE : PAD_BEFORE + size]
    return (both[0] + both[1].transpose(0, 1)).reshape(-1, n).T.reshape(n, size, size)


def _blocks(geometry: ParallelBeam, dtype: torch.dtype, device: torch.device) -> Iterator[Tensor]:
    rays, size = _Rays.of(geometry, dtype, device), geometry.size_px
    step = block_rows(2 * size)
    return (rays.block(slice(first, first + step), size) for first in range(0, len(rays.start), step))


def _transposed_blocks(geometry: ParallelBeam, dtype: torch.dtype, device: torch.device) -> Iterator[Tensor]:
    return (transposed(block) for block in _blocks(geometry, dtype, device))


@dataclass
class _Rays:
    """Rays as lines over the steps of their leading axis: position = start + slope * step, in pixels.

    All of shape (rays,): `length` is that of a step in mm, `origin` the first row of the image or of its
    transpose among the columns of `_spread`.
    """

    start: Tensor
    slope: Tensor
    length: Tensor
    origin: Tensor

    @classmethod
    def of(cls, geometry: ParallelBeam, dtype: torch.dtype, device: torch.device) -> "_Rays":
        size, pixel = geometry.size_px, geometry.pixel_mm
        angles, offsets = (torch.from_numpy(part.copy()).flatten() for part in geometry.rays())
        cosine, sine = torch.cos(angles), torch.sin(angles)
        steps_along_columns = sine.abs() > cosine.abs()
        leading = torch.where(steps_along_columns, sine, cosine)
        slope = -torch.where(steps_along_columns, cosine, sine) / leading
        centre = (size - 1) / 2
        return cls(
            (offsets / pixel / leading + centre - slope * centre).to(device, dtype),
            slope.to(device, dtype),
            (pixel / leading.abs()).to(device, dtype),
            (steps_along_columns * size * (PAD_BEFORE + size + PAD_AFTER)).to(device, torch.int32),
        )

    def block(self, rays: slice, size: int) -> Tensor:
        """Return the rows of these rays: for each step the two pixels beside the ray."""
        width = PAD_BEFORE + size + PAD_AFTER
        start, slope, length, origin = (
            values[rays, None] for values in (self.start, self.slope, self.length, self.origin)
        )
        steps = torch.arange(size, device=start.device, dtype=torch.int32)
        position = torch.addcmul(start, slope, steps.to(start.dtype))
        return interpolation_block(position, size, origin + steps * width, length, 2 * size * width)
