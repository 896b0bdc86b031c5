"""A fine grid of tissue labels, painted organ over organ, whose means give partial volumes."""

from collections.abc import Sequence

import cv2
import numpy as np

from medscale.phantoms.ct_tissues import CODES

FIELD_MM = 360.0
# Fine pixels across the field, the same for all usual sizes, so that these see the same edges.
FINE_PX, COARSEST_ZOOM = 2048, 4
# Bits of a fine pixel's fraction in OpenCV's coordinates.
SHIFT = 6


class Canvas:
    """One axial plane of `FIELD_MM` by `FIELD_MM` around the middle of the scanner.

    Parameters
    ----------
    size_px : int
        Rows and columns of the picture that will be made of it.
    turn : float
        By how much the patient lies turned around z, in radians.
    shift_mm : (x, y)
        Where the patient's middle lies.
    """

    def __init__(self, size_px: int, turn: float = 0.0, shift_mm: tuple[float, float] = (0.0, 0.0)):
        self.size_px, self.fine_px = size_px, size_px * max(COARSEST_ZOOM, -(-FINE_PX // size_px))
        self.labels = np.zeros((self.fine_px, self.fine_px), np.uint8)
        self._turn = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        self._shift = np.array(shift_mm)

    def fill(self, outline_mm: np.ndarray | None, tissue: str, over: Sequence[str] | None = None) -> None:
        """Paint the inside of an outline, shape (n, 2), x and y in mm; None paints nothing.

        Parameters
        ----------
        tissue : str
            A key of `TISSUES`.
        over : sequence of str, optional
            Tissues that may be painted over; any by default.
        """
        if outline_mm is None:
            return
        self._fill(outline_mm @ self._turn + self._shift, tissue, over)

    def fill_still(self, outline_mm: np.ndarray, tissue: str, over: Sequence[str] | None = None) -> None:
        """Paint what does not turn with the patient, such as the table."""
        self._fill(outline_mm, tissue, over)

    def average(self, table: np.ndarray) -> np.ndarray:
        """Return the mean over each pixel of a property of its tissues, float32, (size_px, size_px).

        Parameters
        ----------
        table : ndarray, float32, shape (tissues,)
            The property of each tissue, in the order of `NAMES`.
        """
        return cv2.resize(table[self.labels], (self.size_px, self.size_px), interpolation=cv2.INTER_AREA)

    def _fill(self, points_mm: np.ndarray, tissue: str, over: Sequence[str] | None) -> None:
        points = (points_mm / FIELD_MM + 0.5) * self.fine_px - 0.5
        if over is None:
            cv2.fillPoly(self.labels, [_fix(points)], CODES[tissue], shift=SHIFT)
            return
        low = np.clip(np.floor(points.min(axis=0)).astype(int), 0, self.fine_px)
        high = np.clip(np.ceil(points.max(axis=0)).astype(int) + 1, 0, self.fine_px)
        part = self.labels[low[1] : high[1], low[0] : high[0]]
        if part.size == 0:
            return
        mask = np.zeros(part.shape, np.uint8)
        cv2.fillPoly(mask, [_fix(points - low)], 1, shift=SHIFT)
        allowed = np.zeros(256, np.uint8)
        allowed[[CODES[name] for name in over]] = 1
        part[(mask & allowed[part]).view(bool)] = CODES[tissue]


def _fix(points: np.ndarray) -> np.ndarray:
    """Return fixed-point coordinates as OpenCV takes them."""
    return np.rint(points * 2**SHIFT).astype(np.int32)
