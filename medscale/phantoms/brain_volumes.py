"""Demo brain volumes: T1 and FLAIR of one head, each on a grid of its own, as scanners make them."""

from pathlib import Path

import numpy as np

from medscale.files.atomic import atomic_path
from medscale.files.volumes import Volume, describe_nifti, open_for_writing
from medscale.phantoms.brain_subjects import SubjectPlan, plan_subject
from medscale.phantoms.lesion_outlines import step
from medscale.seeds import generator

TISSUES = ("scalp", "bone", "fluid", "grey", "white", "lesion", "neck")
# Brightness of each tissue, in the units of a scanner, by the weighting of the sequence.
WEIGHTINGS = {
    "t1": (620.0, 50.0, 110.0, 330.0, 480.0, 400.0, 300.0),
    "flair": (420.0, 40.0, 70.0, 330.0, 280.0, 620.0, 200.0),
}
SKULL_MM, BONE_MM, BARK_MM, BORDER_MM = 12.0, 7.0, 3.0, 3.0
NOISE, SHADING = 14.0, 0.12
# Half axes, in shares of the brain's, and middle of one ventricle.
VENTRICLE, VENTRICLE_AT = (0.16, 0.42, 0.22), (0.17, -0.02, 0.1)
NECK_MM, NECK_BACK_MM = 52.0, 18.0
FOLD_MM, FURROW_MM = 5.0, 16.0
BEND_MM, BEND = 11.0, 1.6
FISSURE_MM, FISSURE_ABOVE = 1.5, 0.35
# Voxels of T1 along right, front and head, and what they cover: the head, and some of the neck.
T1_VOXEL_MM, T1_FIELD_MM = 3.0, (192.0, 228.0, 192.0)
T1_SINK_MM = 10.0
# FLAIR has thick slices that lie a little tilted, and stops above the neck.
FLAIR_VOXEL_MM, FLAIR_FIELD_MM = (1.25, 1.25, 2.0), (180.0, 216.0, 150.0)
FLAIR_RISE_MM, FLAIR_TILT = 10.0, 0.12
UP = np.array([0.0, 0.0, 1.0])


def draw_subject(plan: SubjectPlan, voxel_mm: float = T1_VOXEL_MM) -> dict[str, Volume]:
    """Draw the volumes of a demo subject.

    Both lie in the space of the scanner, where the head is, and show it in part. T1 has voxels of equal edges
    and axes to right, front and head (RAS). FLAIR has wider voxels in slices twice as thick, axes to left,
    back and head (LPS), and a tilt.

    Parameters
    ----------
    voxel_mm : float
        Edge of a voxel of T1.

    Returns
    -------
    dict of str to Volume
        `t1` and `flair`, float32; air is about 0.
    """
    return {name: _draw(plan, name, affine, shape) for name, affine, shape in _lay_grids(plan, voxel_mm)}


def write_subject(
    subject: str,
    label: str,
    t1: str | Path,
    flair: str | Path,
    seed: int,
    voxel_mm: float = T1_VOXEL_MM,
) -> None:
    """Draw a demo subject, and write both volumes as int16 with scale factors, as NIfTI.

    Raises
    ------
    InputError
        If there is no such class.
    """
    volumes = draw_subject(plan_subject(subject, label, seed), voxel_mm)
    for name, path in (("t1", t1), ("flair", flair)):
        image = describe_nifti(volumes[name].values, volumes[name].affine)
        # Nibabel then finds slope and intercept that use the whole range of int16.
        image.set_data_dtype(np.int16)
        with atomic_path(path) as temporary, open_for_writing(temporary) as file:
            image.to_stream(file)


def _lay_grids(plan: SubjectPlan, voxel_mm: float) -> list[tuple[str, np.ndarray, tuple[int, ...]]]:
    """Return name, affine and shape of both volumes."""
    upright = np.diag([voxel_mm] * 3)
    t1 = _place(upright, T1_FIELD_MM, plan.middle_mm - T1_SINK_MM * UP)
    widths = np.array(FLAIR_VOXEL_MM) * voxel_mm
    tilted = _turn(np.array([FLAIR_TILT, 0, 0])) @ np.diag(widths * (-1, -1, 1))
    flair = _place(tilted, FLAIR_FIELD_MM, plan.middle_mm + FLAIR_RISE_MM * UP)
    return [("t1", *t1), ("flair", *flair)]


def _place(
    axes: np.ndarray, field_mm: tuple[float, ...], middle_mm: np.ndarray
) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return the affine and the shape of a grid with these axes (columns) around a middle."""
    shape = tuple(np.rint(np.array(field_mm) / np.linalg.norm(axes, axis=0)).astype(int).tolist())
    affine = np.eye(4)
    affine[:3, :3] = axes
    affine[:3, 3] = middle_mm - axes @ (np.array(shape) - 1) / 2
    return affine, shape


def _draw(plan: SubjectPlan, name: str, affine: np.ndarray, shape: tuple[int, ...]) -> Volume:
    rng = generator(plan.seed, "demo subject", plan.subject, name)
    brightness = dict(zip(TISSUES, WEIGHTINGS[name], strict=True))
    points = _head_points(plan, affine, shape)
    values = _paint_head(plan, points, brightness)
    shade = 1 + SHADING * np.tensordot(rng.uniform(-1, 1, 3).astype(np.float32) / 80, points, 1)
    real, imaginary = rng.standard_normal((2, *shape), np.float32) * np.float32(NOISE)
    return Volume(np.hypot(values * shade + real, imaginary), affine)


def _head_points(plan: SubjectPlan, affine: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return where voxels lie in the head's own axes, mm, float32, shape (3, *shape)."""
    back = _turn(plan.turn).T
    axes, origin = back @ affine[:3, :3], back @ (affine[:3, 3] - plan.middle_mm)
    lines = np.ogrid[tuple(slice(length) for length in shape)]
    parts = [[axes[row, column] * lines[column] for column in range(3)] for row in range(3)]
    points = np.empty((3, *shape), np.float32)
    for row, (i, j, k) in enumerate(parts):
        points[row] = i + origin[row] + j + k
    return points


def _paint_head(plan: SubjectPlan, points: np.ndarray, brightness: dict[str, float]) -> np.ndarray:
    """Return brightness of the head and its neck, on black; float32."""
    out = _reach(points, plan.head_mm)
    radius = float(plan.head_mm.mean())
    neck = np.hypot(points[0], points[1] + NECK_BACK_MM) - NECK_MM
    below = points[2] + float(plan.head_mm[2]) / 2
    values = brightness["neck"] * step(neck, BORDER_MM) * step(below, BORDER_MM)
    for tissue, depth in (("scalp", 0.0), ("bone", SKULL_MM - BONE_MM), ("fluid", SKULL_MM)):
        values = _mix(values, brightness[tissue], step((out - 1) * radius + depth, BORDER_MM))
    brain_mm = plan.head_mm - SKULL_MM - plan.shrinkage_mm
    brain = (_reach(points, brain_mm) - 1) * float(brain_mm.mean())
    return _mix(values, _paint_brain(plan, points, brain, brain_mm, brightness), step(brain, BORDER_MM))


def _paint_brain(
    plan: SubjectPlan,
    points: np.ndarray,
    surface_mm: np.ndarray,
    brain_mm: np.ndarray,
    brightness: dict[str, float],
) -> np.ndarray:
    """Return brightness of the brain, as if it filled the volume; float32."""
    folds = FURROW_MM * _fold(plan, points)
    grey = 1 - step(surface_mm + BARK_MM + folds, BORDER_MM)
    values = _mix(np.full_like(surface_mm, brightness["white"]), brightness["grey"], grey)
    values = _paint_lesions(plan, points, brain_mm, values, brightness["lesion"])
    half_mm = brain_mm * VENTRICLE * np.sqrt(plan.ventricle)
    middle = (brain_mm * VENTRICLE_AT)[:, None, None, None].astype(np.float32)
    # Both sides at once: the head is the same left and right.
    beside = np.stack([np.abs(points[0]) - middle[0], points[1] - middle[1], points[2] - middle[2]])
    fluid = step((_reach(beside, half_mm) - 1) * float(half_mm.mean()), BORDER_MM)
    # The gap between both halves, above what joins them.
    gap = step(np.abs(points[0]) - FISSURE_MM, BORDER_MM) * (points[2] > float(FISSURE_ABOVE * brain_mm[2]))
    return _mix(values, brightness["fluid"], np.maximum(fluid, gap))


def _fold(plan: SubjectPlan, points: np.ndarray) -> np.ndarray:
    """Return how deep bark reaches inwards, from 0 to 1: waves that bend, so that they form no lattice."""
    waves = [
        np.sin(points[axis] / FOLD_MM + BEND * np.sin(points[axis - 1] / BEND_MM) + phase)
        for axis, phase in enumerate(plan.folds.tolist())
    ]
    return np.maximum(np.abs(waves[0] * waves[1]), np.abs(waves[1] * waves[2]))


def _paint_lesions(
    plan: SubjectPlan, points: np.ndarray, brain_mm: np.ndarray, values: np.ndarray, brightness: float
) -> np.ndarray:
    """Return values with the subject's spots, each painted in the box of voxels around it."""
    values = values.copy()
    for *place, radius in plan.lesions:
        middle = (np.array(place) * brain_mm).astype(np.float32)
        box = _box_around(points, middle, radius + BORDER_MM)
        away = np.sqrt(((points[:, *box] - middle[:, None, None, None]) ** 2).sum(axis=0))
        values[box] = _mix(values[box], brightness, step(away - np.float32(radius), BORDER_MM))
    return values


def _box_around(points: np.ndarray, middle: np.ndarray, reach_mm: float) -> tuple[slice, ...]:
    """Return the voxels that surround a place of the head, as slices of the three axes."""
    corner = points[:, 0, 0, 0].astype(float)
    steps = np.stack([points[:, 1, 0, 0], points[:, 0, 1, 0], points[:, 0, 0, 1]], axis=1) - corner[:, None]
    at = np.linalg.solve(steps, middle - corner)
    reach = reach_mm / np.linalg.norm(steps, axis=0) + 1
    first, last = np.maximum(np.floor(at - reach), 0), np.maximum(np.ceil(at + reach) + 1, 0)
    return tuple(slice(int(low), int(high)) for low, high in zip(first, last, strict=True))


def _reach(points: np.ndarray, half_mm: np.ndarray) -> np.ndarray:
    """Return how far out points lie: 1 on the surface of an ellipsoid with these half axes."""
    x, y, z = (points[axis] * np.float32(1 / half_mm[axis]) for axis in range(3))
    return np.sqrt(x * x + y * y + z * z)


def _turn(angles: np.ndarray) -> np.ndarray:
    """Return the matrix of turns about the three axes, one after the other."""
    matrix = np.eye(3)
    for axis, angle in enumerate(angles):
        one, (i, j) = np.eye(3), [other for other in range(3) if other != axis]
        one[i, i] = one[j, j] = np.cos(angle)
        one[i, j], one[j, i] = -np.sin(angle), np.sin(angle)
        matrix = one @ matrix
    return matrix


def _mix(below: np.ndarray, above: np.ndarray | float, share: np.ndarray) -> np.ndarray:
    return below + (above - below) * share
