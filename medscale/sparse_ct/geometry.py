"""Where the rays of a CT scan run.

Lengths are in mm. x runs along the columns and y along the rows of the image, both from its centre
(N - 1) / 2. A ray is the line x cos(angle) + y sin(angle) = offset.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from medscale.errors import InputError


@dataclass(frozen=True)
class ParallelBeam:
    """Parallel rays on a flat detector.

    Attributes
    ----------
    angles_rad : tuple of float
        Direction of the detector's axis in each view.
    size_px, pixel_mm : int, float
        Edge of the square image in pixels, and of a pixel.
    detectors, detector_mm : int, float
        Number of bins, centred on the axis of rotation, and their spacing.
    """

    angles_rad: tuple[float, ...]
    size_px: int
    pixel_mm: float
    detectors: int
    detector_mm: float

    @property
    def period_rad(self) -> float:
        """The turn after which the rays repeat."""
        return math.pi

    @property
    def scale_to_axis(self) -> float:
        """Length in the plane of the axis of rotation of what is one long on the detector."""
        return 1.0

    def select(self, views: np.ndarray) -> "ParallelBeam":
        """Return the same scan with only these views."""
        return replace(self, angles_rad=tuple(self.angles_rad[view] for view in views))

    def bins_mm(self) -> np.ndarray:
        """Positions of the bins on the detector, from its centre; shape (detectors,)."""
        return (np.arange(self.detectors) - (self.detectors - 1) / 2) * self.detector_mm

    def rays(self) -> tuple[np.ndarray, np.ndarray]:
        """Return angle (rad) and offset (mm) of every ray, both of shape (views, detectors)."""
        shape = (len(self.angles_rad), self.detectors)
        angles = np.broadcast_to(np.asarray(self.angles_rad)[:, None], shape)
        return angles, np.broadcast_to(self.bins_mm()[None, :], shape)


@dataclass(frozen=True)
class FanBeam(ParallelBeam):
    """A point source before a flat detector that turn together, a full turn around the image.

    Attributes
    ----------
    source_mm : float
        Distance from the source to the axis of rotation.
    source_to_detector_mm : float
        Distance from the source to the detector.
    """

    source_mm: float
    source_to_detector_mm: float

    @property
    def period_rad(self) -> float:
        return 2 * math.pi

    @property
    def scale_to_axis(self) -> float:
        return self.source_mm / self.source_to_detector_mm

    def rays(self) -> tuple[np.ndarray, np.ndarray]:
        fan = np.arctan2(self.bins_mm() * self.scale_to_axis, self.source_mm)
        angles = np.asarray(self.angles_rad)[:, None] - fan[None, :]
        offsets = np.broadcast_to(self.source_mm * np.sin(fan)[None, :], angles.shape)
        return angles, offsets


def full_scan(
    size_px: int,
    pixel_mm: float,
    views: int,
    kind: str = "parallel",
    source_mm: float | None = None,
    source_to_detector_mm: float | None = None,
) -> ParallelBeam:
    """Return the scan of equally spaced views that sees the image to its corners.

    Half a turn for parallel rays, a full turn for a fan. On the axis of rotation bins are as wide as
    pixels; their number has the parity of `size_px`, so that bins and pixels are aligned in the first view.

    Parameters
    ----------
    kind : {"parallel", "fan"}
    source_mm, source_to_detector_mm : float
        Of a fan.

    Raises
    ------
    InputError
        If the kind is unknown, or the source of the fan lies within the image.
    """
    reach_px = size_px / math.sqrt(2)
    if kind == "parallel":
        detectors = _bins(reach_px, size_px)
        return ParallelBeam(_angles(math.pi, views), size_px, pixel_mm, detectors, pixel_mm)
    if kind != "fan":
        raise InputError("sparse_ct.simulation.beam.kind", repr(kind), "parallel or fan", "Correct the name.")
    _check_source(source_mm, reach_px * pixel_mm)
    widest_px = reach_px / math.sqrt(1 - (reach_px * pixel_mm / source_mm) ** 2)
    bin_mm = pixel_mm * source_to_detector_mm / source_mm
    angles = _angles(2 * math.pi, views)
    return FanBeam(
        angles, size_px, pixel_mm, _bins(widest_px, size_px), bin_mm, source_mm, source_to_detector_mm
    )


def _bins(reach_px: float, size_px: int) -> int:
    bins = math.ceil(2 * reach_px)
    return bins + (bins - size_px) % 2


def _angles(turn_rad: float, views: int) -> tuple[float, ...]:
    return tuple(turn_rad * view / views for view in range(views))


def _check_source(source_mm: float, reach_mm: float) -> None:
    if source_mm <= reach_mm:
        raise InputError(
            "sparse_ct.simulation.beam.source_mm",
            f"{source_mm:g} mm",
            f"a source outside the image, whose corners lie {reach_mm:.1f} mm from the axis",
            "Move the source away or use smaller pixels.",
        )


def kept_views(full_views: int, views: int) -> np.ndarray:
    """Return which of `full_views` equally spaced views a scan with `views` of them keeps.

    Raises
    ------
    InputError
        If more views are asked for than there are.
    """
    if not 1 <= views <= full_views:
        raise InputError(
            "sparse_ct.simulation.views",
            f"{views} views",
            f"1 to {full_views}, the views of the full scan (full_views)",
            "Ask for fewer views or raise full_views.",
        )
    return np.floor(np.arange(views) * full_views / views + 0.5).astype(int)
