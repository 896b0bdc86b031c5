"""Demo patients with tumours of the kidney: what they look like, and their CT with labels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from medscale.errors import InputError
from medscale.phantoms.ct import CtPlan, expose, paint_tissues, plan_ct
from medscale.phantoms.ct_canvas import Canvas
from medscale.phantoms.ct_gut import ROOM
from medscale.phantoms.ct_lesions import KIDNEY, Lesion
from medscale.phantoms.ct_shapes import Tube
from medscale.phantoms.ct_tissues import CODES, NAMES, PHASES, tabulate_hu
from medscale.seeds import generator

LABELS = {"kidney_cortex": 1, "kidney_medulla": 1, "kidney_cyst": 1, "kidney_tumour": 2, "necrosis": 2}
# Scans of KiTS19 are of the late arterial phase; few were made without contrast medium.
PHASE_SHARES = dict(zip(PHASES, (0.08, 0.52, 0.4), strict=True))
TUMOUR_MM, CYST_MM, MOST_CYSTS = (8.0, 35.0), (4.0, 14.0), 2
BOTH_KIDNEYS = 0.2
NECROTIC_FROM_MM, NECROTIC = 16.0, 0.6
# Where a tumour sits around its kidney: radians from the patient's side to the front (negative) and back.
PLACES = (-1.7, 0.5)
# How far beyond the kidney's surface its middle lies, as a share of its radius.
OUTWARD = (-0.5, 0.3)
# What gives way to a growing tumour; muscle, bone and the great arteries do not.
ORGANS = ("liver", "liver_vessel", "liver_lesion", "bile", "spleen", "pancreas", "adrenal", "vein")
YIELDING = (*KIDNEY, "kidney_cyst", *ROOM, *ORGANS)
SLICE_MM, THIN_SLICE_MM = (3.0, 5.0), 1.25
# At fewer pixels slices lie farther apart, so that voxels keep their shape.
FULL_SIZE_PX = 128
MARGINS_MM = ((12.0, 28.0), (14.0, 38.0))
# Case 160 of KiTS19 has 512 × 796 pixels.
WIDE = 796 / 512
AIR_HU = -1000
# Cases that differ from the usual int16 in the axes of KiTS19, by what they have in real collections.
FORMS = {"case_00001": "thin", "case_00002": "float", "case_00160": "wide", "case_00201": "upright"}


@dataclass(frozen=True)
class KidneyCase:
    """What one demo case looks like, before any pixel.

    Attributes
    ----------
    ct : CtPlan
        The patient's anatomy.
    cysts, tumours, necroses : tuple of Lesion
        Painted in this order.
    heights_mm : ndarray, shape (slices,)
        From the head down, as slices follow each other in KiTS19.
    slice_mm : float
        Distance between them.
    form : str
        "usual", or a value of `FORMS`: slices of 1 mm, float32 that are no whole numbers, wider than
        high, or columns, rows and slices towards left, back and head.
    """

    ct: CtPlan
    cysts: tuple[Lesion, ...]
    tumours: tuple[Lesion, ...]
    necroses: tuple[Lesion, ...]
    heights_mm: np.ndarray
    slice_mm: float
    form: str


def plan_case(case: str, size_px: int, seed: int) -> KidneyCase:
    """Decide what a demo case looks like, from its name and the seed; the size decides the slices alone.

    Raises
    ------
    InputError
        If the size is no positive number.
    """
    if size_px < 1:
        raise InputError(case, f"{size_px} px", "at least 1", "Correct its path in the sheet of demo cases.")
    rng = generator(seed, "demo kits19", case, "plan")
    plan = plan_ct(case, seed)
    hu = tabulate_hu(str(rng.choice(PHASES, p=list(PHASE_SHARES.values()))), rng)
    hu[CODES["kidney_tumour"]] += rng.normal(0, 8)
    # Cysts of the liver stay; those of the kidneys are drawn here, because they belong to the label.
    lesions = tuple(
        replace(lesion, over=("liver",)) if lesion.tissue == "cyst" else lesion for lesion in plan.lesions
    )
    tumours = _plan_tumours(plan, rng)
    form = FORMS.get(case, "usual")
    slice_mm = _draw_spacing(form, rng) * max(1.0, FULL_SIZE_PX / size_px)
    return KidneyCase(
        ct=replace(plan, hu=hu, lesions=lesions),
        cysts=_plan_cysts(plan, rng),
        tumours=tumours,
        necroses=_plan_necroses(tumours, rng),
        heights_mm=_space_slices(plan.abdomen.kidneys, tumours, slice_mm, rng),
        slice_mm=slice_mm,
        form=form,
    )


def draw_case(plan: KidneyCase, size_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw a case.

    Parameters
    ----------
    size_px : int
        Rows, and columns where the case is as wide as high.

    Returns
    -------
    hu : ndarray of int16 or, for the form "float", float32; shape (slices, rows, columns)
        Slices run to the feet, rows to the back, columns to the patient's left.
    labels : ndarray of uint8, of the same shape
        0 background, 1 kidney with its cysts, 2 tumour: of what takes most of the pixel.
    """
    slices = [_draw_slice(plan, number, size_px) for number in range(len(plan.heights_mm))]
    hu, labels = (np.stack(parts) for parts in zip(*slices, strict=True))
    if plan.form != "float":
        hu = np.rint(hu).astype(np.int16)
    if plan.form == "wide":
        more = round(size_px * WIDE) - size_px
        sides = ((0, 0), (0, 0), (more // 2, more - more // 2))
        hu, labels = np.pad(hu, sides, constant_values=AIR_HU), np.pad(labels, sides)
    return hu, labels


def _draw_slice(plan: KidneyCase, number: int, size_px: int) -> tuple[np.ndarray, np.ndarray]:
    z = float(plan.heights_mm[number])
    canvas = paint_tissues(plan.ct, z, size_px)
    for lesion in (*plan.cysts, *plan.tumours, *plan.necroses):
        canvas.fill(lesion.outline(z), lesion.tissue, over=lesion.over)
    return expose(canvas, plan.ct, z, number), _label(canvas)


def _label(canvas: Canvas) -> np.ndarray:
    """Return the label that takes most of each pixel, uint8."""
    numbers = np.array([LABELS.get(name, 0) for name in NAMES])
    kidney, tumour = (canvas.average((numbers == label).astype(np.float32)) for label in (1, 2))
    return np.argmax([1 - kidney - tumour, kidney, tumour], axis=0).astype(np.uint8)


def _plan_tumours(plan: CtPlan, rng: np.random.Generator) -> tuple[Lesion, ...]:
    """Plan one tumour, and in some patients another in the other kidney."""
    first = int(rng.integers(2))
    sides = (first, 1 - first) if rng.random() < BOTH_KIDNEYS else (first,)
    tumours = []
    for side in sides:
        kidney = plan.abdomen.kidneys[side]
        radius = _draw_radius(TUMOUR_MM, rng)
        z = float(rng.uniform(kidney.z[0], kidney.z[-1]))
        turn, outward = float(rng.uniform(*PLACES)), radius * float(rng.uniform(*OUTWARD))
        x, y = _beside(kidney, z, turn, outward, left=side == 1)
        tumours.append(Lesion("kidney_tumour", YIELDING, (x, y, z), radius, _draw_waves(rng)))
    return tuple(tumours)


def _plan_cysts(plan: CtPlan, rng: np.random.Generator) -> tuple[Lesion, ...]:
    cysts = []
    for side, kidney in enumerate(plan.abdomen.kidneys):
        for _ in range(int(rng.integers(0, MOST_CYSTS + 1)) if rng.random() < 0.5 else 0):
            z, radius = float(rng.uniform(kidney.z[0], kidney.z[-1])), _draw_radius(CYST_MM, rng)
            x, y = _beside(kidney, z, float(rng.uniform(-np.pi, np.pi)), -0.2 * radius, left=side == 1)
            over = (*KIDNEY, "belly_fat")
            cysts.append(Lesion("kidney_cyst", over, (x, y, z), radius, 0.4 * _draw_waves(rng)))
    return tuple(cysts)


def _plan_necroses(tumours: Sequence[Lesion], rng: np.random.Generator) -> tuple[Lesion, ...]:
    """Plan the dead core of some of the larger tumours."""
    cores = []
    for tumour in tumours:
        if tumour.radius > NECROTIC_FROM_MM and rng.random() < NECROTIC:
            radius = float(rng.uniform(0.3, 0.6)) * tumour.radius
            middle = np.array(tumour.middle) + rng.normal(0, 0.12 * tumour.radius, 3)
            core = tuple(middle.tolist())
            cores.append(Lesion("necrosis", ("kidney_tumour",), core, radius, 2 * _draw_waves(rng)))
    return tuple(cores)


def _beside(kidney: Tube, z: float, turn: float, outward_mm: float, *, left: bool) -> tuple[float, float]:
    """Return x, y of a place so far out from a kidney's surface, `turn` away from the patient's side."""
    x, y, a, b, _ = (float(np.interp(z, kidney.z, column)) for column in kidney.sections.T)
    surface = a * b / np.hypot(b * np.cos(turn), a * np.sin(turn))
    away = surface + outward_mm
    return x + (1 if left else -1) * away * np.cos(turn), y + away * np.sin(turn)


def _space_slices(
    kidneys: Sequence[Tube], tumours: Sequence[Lesion], slice_mm: float, rng: np.random.Generator
) -> np.ndarray:
    """Return heights from above the kidneys to below them, in mm."""
    lows = [kidney.z[0] - kidney.caps[0] for kidney in kidneys]
    highs = [kidney.z[-1] + kidney.caps[1] for kidney in kidneys]
    lows += [tumour.middle[2] - tumour.radius for tumour in tumours]
    highs += [tumour.middle[2] + tumour.radius for tumour in tumours]
    below, above = (rng.uniform(*margin) for margin in MARGINS_MM)
    top = max(highs) + above
    count = int(np.ceil((top - min(lows) + below) / slice_mm)) + 1
    return top - slice_mm * np.arange(count)


def _draw_spacing(form: str, rng: np.random.Generator) -> float:
    return THIN_SLICE_MM if form == "thin" else round(float(rng.uniform(*SLICE_MM)), 1)


def _draw_radius(ends: tuple[float, float], rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(*np.log(ends))))


def _draw_waves(rng: np.random.Generator) -> np.ndarray:
    return np.column_stack([rng.normal(0, 0.05, 4), rng.uniform(0, 2 * np.pi, 4)])
