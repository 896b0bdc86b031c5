"""Pictures with the outlines of what was marked in them."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes


def draw_outlined(
    axes: Axes,
    image: np.ndarray,
    outlines: Sequence[tuple[np.ndarray, str]],
    limits: tuple[float, float],
    width: float = 1.1,
) -> None:
    """Draw a grey picture without ticks and frame, and a line around each mask.

    Parameters
    ----------
    image : ndarray, shape (rows, columns)
    outlines : sequence of (ndarray of bool, str)
        Masks of the picture's shape with their colours; nothing is drawn for an empty one.
    limits : (low, high)
        Values that are drawn black and white.
    width : float
        Of the lines, in points.
    """
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.imshow(image, cmap="gray", vmin=limits[0], vmax=limits[1])
    for mask, colour in outlines:
        if mask.any():
            # Air around the picture closes outlines at its edge; outlines run between pixels.
            edge = np.arange(-1, max(mask.shape) + 1)
            padded = np.pad(mask, 1).astype(float)
            rows, columns = padded.shape
            axes.contour(edge[:columns], edge[:rows], padded, [0.5], colors=colour, linewidths=width)
    axes.set(xlim=(-0.5, image.shape[1] - 0.5), ylim=(image.shape[0] - 0.5, -0.5))
