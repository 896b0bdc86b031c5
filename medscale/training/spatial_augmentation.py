"""Flips, turns, zooms and shifts of images together with their labels, another one for every sample."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from medscale.training.augmentation import draw_uniform

DRAWN = 5


@dataclass(frozen=True)
class SpatialAugmentation:
    """One random affine map for each sample and epoch; all slices of a block share it.

    The thesis (section 4.3) names these ranges for images of 128 pixels; its code draws once for a whole
    batch, and always shifts by the full distance. Drawn here, evenly and for each sample, are the angle,
    the zoom, and the shifts along rows and columns. What comes in from outside the image is air and
    background.

    Attributes
    ----------
    flip : bool
        Exchange left and right in half of the samples. This mirrors the anatomy, as in the thesis: the
        liver, and whatever else tells the sides of a body apart, then lies on the other side.
    rotation_deg : float
        Angles lie between its negative and itself.
    zoom : float
        The image grows or shrinks by at most this share.
    shift : float
        Largest shift, as a share of the image's edge; the default is 10 of 128 pixels.
    """

    flip: bool = True
    rotation_deg: float = 5.0
    zoom: float = 0.05
    shift: float = 10 / 128

    def apply(self, images: Tensor, labels: Tensor, seeds: np.ndarray, epoch: int) -> tuple[Tensor, Tensor]:
        """Return images and labels, both moved in the same way.

        Images are interpolated linearly, labels take the nearest.

        Parameters
        ----------
        images : Tensor of float32, shape (n, rows, columns) or (n, slices, rows, columns)
            0 is air.
        labels : Tensor of uint8, the same shape
            0 is background.
        seeds : ndarray of int64, shape (n,)
            A sample is moved by its seed and the epoch alone.
        """
        stacks = _as_stacks(images)
        grid = self._draw_grid(stacks, seeds, epoch)
        moved = _sample(stacks, grid, "bilinear").reshape(images.shape)
        moved_labels = _sample(labels.reshape(stacks.shape).to(images.dtype), grid, "nearest")
        return moved, moved_labels.to(labels.dtype).reshape(labels.shape)

    def move_images(self, images: Tensor, seeds: np.ndarray, epoch: int) -> Tensor:
        """Return images without labels, moved as `apply` moves them.

        Parameters
        ----------
        images : Tensor of float32, shape (n, rows, columns) or (n, slices, rows, columns)
            0 is air.
        seeds : ndarray of int64, shape (n,)
        """
        stacks = _as_stacks(images)
        return _sample(stacks, self._draw_grid(stacks, seeds, epoch), "bilinear").reshape(images.shape)

    def draw_maps(self, uniform: np.ndarray, aspect: float = 1.0) -> Tensor:
        """Return where each pixel of the moved image comes from, as `affine_grid` takes it.

        Parameters
        ----------
        uniform : ndarray, shape (n, 5)
            Numbers in [0, 1) for flip, angle, zoom, and shifts of columns and of rows.
        aspect : float
            Rows over columns.

        Returns
        -------
        Tensor of float32, shape (n, 2, 3)
        """
        spread = torch.from_numpy(2.0 * uniform[:, 1:] - 1)
        angle = spread[:, 0] * math.radians(self.rotation_deg)
        # The moved image is read at places that lie closer together the more it is enlarged.
        step = 1 / (1 + self.zoom * spread[:, 1])
        flipped = torch.from_numpy(uniform[:, 0] < 0.5) & self.flip
        side = 1.0 - 2.0 * flipped
        cosine, sine = angle.cos() * step, angle.sin() * step
        # Coordinates run from -1 to 1, so a shift by the whole edge is 2.
        across, down = 2 * self.shift * spread[:, 2], 2 * self.shift * spread[:, 3]
        first = torch.stack([side * cosine, -side * sine * aspect, side * across], dim=1)
        second = torch.stack([sine / aspect, cosine, down], dim=1)
        return torch.stack([first, second], dim=1).float()

    def _draw_grid(self, stacks: Tensor, seeds: np.ndarray, epoch: int) -> Tensor:
        rows, columns = stacks.shape[-2:]
        maps = self.draw_maps(draw_uniform(seeds, epoch, DRAWN), rows / columns).to(stacks.device)
        return nn.functional.affine_grid(maps, list(stacks.shape), align_corners=False)


def _as_stacks(images: Tensor) -> Tensor:
    # Slices take the place of channels, which share their map.
    return images.reshape(len(images), -1, *images.shape[-2:])


def _sample(images: Tensor, grid: Tensor, mode: str) -> Tensor:
    return nn.functional.grid_sample(images, grid, mode=mode, padding_mode="zeros", align_corners=False)
