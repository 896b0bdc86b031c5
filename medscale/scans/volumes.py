"""Volumes of one subject, brought to one grid, as the channels that a 3D network sees."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
from scipy import ndimage

from medscale.errors import InputError, summarise_errors
from medscale.files.atomic import atomic_path
from medscale.files.volumes import Volume
from medscale.files.voxels import read_voxels
from medscale.scans.heads import find_centre, find_head

log = logging.getLogger(__name__)

SEARCH_MM = 4.0
# Width of a Gaussian at half its height, in standard deviations.
WIDTH_PER_SD = np.sqrt(8 * np.log(2))
# Least share of the head on the common grid that a channel has to show.
LEAST_OVERLAP = 0.1


@dataclass(frozen=True)
class Grid:
    """Where prepared voxels lie; axes towards the subject's right, front and head (RAS).

    Attributes
    ----------
    voxel_mm : float
        Edge of a voxel.
    shape : (i, j, k)
    centre_mm : (x, y, z)
        Middle of the grid in the space of the scanner.
    """

    voxel_mm: float
    shape: tuple[int, int, int]
    centre_mm: tuple[float, float, float]

    @property
    def affine(self) -> np.ndarray:
        """Turns (i, j, k, 1) into mm; float64, shape (4, 4)."""
        affine = np.diag([*[self.voxel_mm] * 3, 1.0])
        affine[:3, 3] = np.array(self.centre_mm) - self.voxel_mm * (np.array(self.shape) - 1) / 2
        return affine


def prepare_volume(paths: Sequence[str | Path], voxel_mm: float, shape: Sequence[int]) -> np.ndarray:
    """Read the volumes of one subject, and bring them to one grid and one scale.

    The volumes lie in one space, that of the scanner, as those of one session do: they are brought together
    by their affines, and not registered. Each is turned to RAS, smoothed where the grid is coarser, and
    interpolated linearly. The grid is centred on the head of the first volume (see `find_centre`), not on the
    volume, which shows more or less of the neck. Each channel then has mean 0 and standard deviation 1 within
    its own head; all else is 0, be it air or not measured.

    Parameters
    ----------
    paths : sequence of str or Path
        NIfTI files, in the order of the channels.
    voxel_mm : float
        Edge of a voxel of the grid.
    shape : (i, j, k)
        Voxels to the right, front and head.

    Returns
    -------
    ndarray of float32, shape (channels, i, j, k)

    Raises
    ------
    InputError
        If a file cannot be read (see `read_nifti`; one without affine is refused), is constant, or does not
        show the head that the first one shows.
    """
    first = read_upright(paths[0])
    grid = Grid(voxel_mm, tuple(map(int, shape)), find_head_mm(first))
    channels = [resample(first, grid), *(resample(read_upright(path), grid) for path in paths[1:])]
    heads = [find_head(values, voxel_mm) for values in channels]
    for head, path in zip(heads, paths, strict=True):
        _check_overlap(head, heads[0], path, paths[0])
    return np.stack([_standardise(values, head) for values, head in zip(channels, heads, strict=True)])


def prepare_volumes(
    subjects: Mapping[str, Sequence[str | Path]],
    outputs: Sequence[str | Path],
    voxel_mm: float,
    shape: Sequence[int],
) -> None:
    """Prepare the volumes of many subjects.

    Parameters
    ----------
    subjects : mapping of str to sequence of str or Path
        The files of each subject, in the order of the channels.
    outputs : sequence of str or Path
        Files to write, in the order of the subjects.

    Raises
    ------
    InputError
        After all subjects were tried, if one or more are refused.
    """
    refused = []
    for (subject, paths), output in zip(subjects.items(), outputs, strict=True):
        try:
            write_prepared_volume(prepare_volume(paths, voxel_mm, shape), output)
        except InputError as error:
            log.error("subject %s: %s", subject, error)
            refused.append(error)
    if refused:
        raise summarise_errors(refused)
    log.info(
        "%d subjects on grids of %s voxels of %g mm", len(subjects), " × ".join(map(str, shape)), voxel_mm
    )


def read_upright(path: str | Path) -> Volume:
    """Read a NIfTI volume with its axes turned to those closest to right, front and head.

    Scale factors and units of the header are applied. A value that is no finite number, as some programs
    leave outside of a brain, becomes 0.

    Raises
    ------
    InputError
        As `read_nifti`, or if all its voxels are the same.
    """
    volume = read_voxels(path)
    upright = nibabel.as_closest_canonical(nibabel.Nifti1Image(volume.values, volume.affine))
    values = np.asarray(upright.dataobj, np.float32)
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    if np.ptp(values) == 0:
        mend = "Fetch the volume again, or leave the subject out."
        raise InputError(path, f"the value {values.flat[0]:g} in all voxels", "the image of a head", mend)
    return Volume(values, upright.affine)


def find_head_mm(volume: Volume) -> tuple[float, float, float]:
    """Return the middle of the head that an upright volume shows, in mm (see `find_centre`)."""
    low, high = _corners_mm(volume)
    # An extent in whole steps stays one where the affine is rounded.
    shape = tuple(int(n) for n in np.ceil((high - low) / SEARCH_MM - 1e-3) + 1)
    grid = Grid(SEARCH_MM, shape, tuple((low + high) / 2))
    head = find_head(resample(volume, grid), SEARCH_MM)
    return tuple((grid.affine @ [*find_centre(head, SEARCH_MM), 1])[:3].tolist())


def resample(volume: Volume, grid: Grid) -> np.ndarray:
    """Return the values of an upright volume on a grid; 0 outside of it.

    Where the grid is coarser than an axis of the volume, its values are smoothed along this axis before, by
    the Gaussian that widens its voxels to those of the grid (Cardoso et al., MICCAI 2015), so that nothing
    between the sampled points is lost and no patterns arise.

    Returns
    -------
    ndarray of float32, shape `grid.shape`
    """
    spacing = np.linalg.norm(volume.affine[:3, :3], axis=0)
    widths_mm = np.sqrt(np.maximum(grid.voxel_mm**2 - spacing**2, 0))
    smooth = ndimage.gaussian_filter(volume.values, widths_mm / WIDTH_PER_SD / spacing, mode="nearest")
    back = np.linalg.inv(volume.affine) @ grid.affine
    return ndimage.affine_transform(smooth, back, output_shape=grid.shape, order=1, mode="constant")


def write_prepared_volume(channels: np.ndarray, path: str | Path) -> None:
    """Write the channels of a subject as `.npy`."""
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.save(file, channels, allow_pickle=False)


def read_prepared_volume(path: str | Path) -> np.ndarray:
    """Return the channels of a subject, float32, shape (channels, i, j, k).

    Raises
    ------
    InputError
        If the file is missing, damaged, or holds something else.
    """
    try:
        channels = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _refuse_prepared(path, f"no readable array ({error})") from error
    if not isinstance(channels, np.ndarray) or channels.ndim != 4 or channels.dtype != np.float32:
        raise _refuse_prepared(path, "something else")
    return channels


def _standardise(values: np.ndarray, head: np.ndarray) -> np.ndarray:
    """Return values with mean 0 and deviation 1 in the head, and 0 around it; float32."""
    inside = values[head].astype(np.float64)
    return np.where(head, (values - inside.mean()) / inside.std(), 0).astype(np.float32)


def _check_overlap(head: np.ndarray, first: np.ndarray, path: str | Path, first_path: str | Path) -> None:
    shown = (head & first).sum() / first.sum()
    if shown < LEAST_OVERLAP:
        raise InputError(
            path,
            f"{shown:.0%} of the head that {first_path} shows",
            f"at least {LEAST_OVERLAP:.0%} of it, at the same place",
            "Check the affines of both; bring volumes of different sessions to one space first.",
        )


def _corners_mm(volume: Volume) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and the highest coordinates of a volume's voxels."""
    ends = np.array(np.meshgrid(*[(0, length - 1) for length in volume.values.shape], indexing="ij"))
    corners = (volume.affine @ np.vstack([ends.reshape(3, -1), np.ones(8)]))[:3]
    return corners.min(axis=1), corners.max(axis=1)


def _refuse_prepared(path: str | Path, found: str) -> InputError:
    expected = "a NumPy file with float32 of four axes, as prepare_volumes writes it"
    return InputError(path, found, expected, "Delete the file and run again.")
