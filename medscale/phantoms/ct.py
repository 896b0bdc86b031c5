"""Draw the CT of a demo patient: anatomy from chest to loins, texture, and the noise of the exposure."""

from dataclasses import dataclass

import cv2
import numpy as np

from medscale.errors import InputError
from medscale.phantoms.ct_abdomen import Abdomen, draw_abdomen, draw_diaphragm, plan_abdomen
from medscale.phantoms.ct_body import HIGHEST_MM, LOWEST_MM, Body, draw_frame
from medscale.phantoms.ct_canvas import FIELD_MM, Canvas
from medscale.phantoms.ct_chest import Chest, draw_lungs, draw_mediastinum, plan_chest
from medscale.phantoms.ct_lesions import Lesion, draw_lesions, plan_lesions
from medscale.phantoms.ct_skeleton import draw_skeleton
from medscale.phantoms.ct_texture import draw_noise, draw_texture
from medscale.phantoms.ct_tissues import PHASES, tabulate_hu, tabulate_texture
from medscale.seeds import generator

SLICE_MM = 5.0
MOTTLE_MM, GRAIN_MM = 7.0, 2.0
LOWEST_HU = -1024.0
# Share of the noise that is left in air, and how far the patient's own thickness spreads it.
NOISE_IN_AIR, NOISE_SPREAD_MM = 0.2, 45.0


@dataclass(frozen=True)
class DemoCt:
    """The CT of one demo patient.

    Attributes
    ----------
    hu : ndarray, float32, shape (slices, rows, columns)
        Hounsfield units. Slices rise towards the head, rows run to the back, columns to the patient's left.
    pixel_mm : float
        Edge of a pixel.
    slice_mm : float
        Distance between slices.
    """

    hu: np.ndarray
    pixel_mm: float
    slice_mm: float


@dataclass(frozen=True)
class CtPlan:
    """What one demo patient looks like, before any pixel.

    Attributes
    ----------
    patient, seed
        What all of it is drawn from.
    body, chest, abdomen, lesions
        The anatomy, in mm around the middle of the cavity.
    spine : float
        Size of the vertebrae relative to the usual.
    turn : float
        By how much the patient lies turned, radians.
    shift_mm : (x, y)
        Where the middle of the cavity lies in the field.
    table_y : float
        Where the table begins in the field, mm.
    hu : ndarray, float32
        HU of each tissue.
    noise_hu : float
        Standard deviation of the noise in the middle of the patient, at 512 pixels.
    level : float
        0 puts the lowest slice at the loins, 1 the highest at the top of the chest.
    """

    patient: str
    seed: int
    body: Body
    chest: Chest
    abdomen: Abdomen
    lesions: tuple[Lesion, ...]
    spine: float
    turn: float
    shift_mm: tuple[float, float]
    table_y: float
    hu: np.ndarray
    noise_hu: float
    level: float


def draw_ct(patient: str, size_px: int, slices: int, seed: int) -> DemoCt:
    """Draw the CT of the demo patient `patient`, from the name and the seed alone.

    The field of view is `FIELD_MM` wide at every size, so the same patient in fewer pixels is the same
    anatomy, noise included, averaged over larger pixels.

    Parameters
    ----------
    patient : str
    size_px : int
        Rows and columns.
    slices : int
        Slices lie `SLICE_MM` apart, or closer where the torso is not long enough for as many.
    seed : int

    Raises
    ------
    InputError
        If the size or the number of slices is no positive number.
    """
    if size_px < 1 or slices < 1:
        found = f"{slices} slices of {size_px} px"
        mend = "Correct its row in the sheet of demo patients."
        raise InputError(patient, found, "at least 1 of each", mend)
    plan = plan_ct(patient, seed)
    lowest, slice_mm = space_slices(slices, plan.level)
    hu = np.empty((slices, size_px, size_px), np.float32)
    for number in range(slices):
        z = lowest + number * slice_mm
        hu[number] = expose(paint_tissues(plan, z, size_px), plan, z, number)
    return DemoCt(hu, FIELD_MM / size_px, slice_mm)


def space_slices(slices: int, level: float) -> tuple[float, float]:
    """Return the height of the lowest slice and the distance between slices, in mm, for `CtPlan.level`."""
    length = HIGHEST_MM - LOWEST_MM
    slice_mm = min(SLICE_MM, length / slices)
    return LOWEST_MM + level * (length - slice_mm * (slices - 1)), slice_mm


def plan_ct(patient: str, seed: int) -> CtPlan:
    """Decide what the demo patient looks like."""
    rng = generator(seed, "demo ct", patient, "plan")
    level, woman = float(rng.random()), bool(rng.random() < 0.5)
    stout = rng.uniform(0, 1)
    body = Body(
        half_width_mm=float(rng.uniform(112, 126) if woman else rng.uniform(122, 134)),
        half_depth_mm=float(rng.uniform(78, 88) if woman else rng.uniform(85, 95)),
        roundness=float(rng.uniform(2.15, 2.5)),
        muscle=float(rng.uniform(0.7, 0.9) if woman else rng.uniform(0.85, 1.1)),
        fat_mm=float(3 + 11 * stout + rng.uniform(0, 3)),
        belly_mm=float(12 * stout + rng.uniform(0, 4)),
        breast_mm=float(rng.uniform(14, 28)) if woman else 0.0,
        waves=rng.normal(0, [[0.008], [0.008], [0.005], [0.004]], (4, 2)),
    )
    front, back = body.ends_y()
    shift = float(rng.normal(0, 4)), float(rng.normal(-6, 3)) - (front + back) / 2
    return CtPlan(
        patient=patient,
        seed=seed,
        body=body,
        chest=plan_chest(body, rng),
        abdomen=plan_abdomen(body, rng),
        lesions=plan_lesions(body, rng),
        spine=float(rng.uniform(0.92, 1.08)),
        turn=float(rng.normal(0, 0.035)),
        shift_mm=shift,
        table_y=shift[1] + back,
        hu=tabulate_hu(str(rng.choice(PHASES)), rng),
        noise_hu=float(rng.uniform(7, 15)),
        level=level,
    )


def paint_tissues(plan: CtPlan, z: float, size_px: int) -> Canvas:
    """Paint the tissues at height `z`, organ over organ."""
    canvas = Canvas(size_px, plan.turn, plan.shift_mm)
    _draw_table(canvas, plan.table_y)
    draw_frame(canvas, plan.body, z)
    draw_lungs(canvas, plan.chest, plan.body, z)
    draw_diaphragm(canvas, plan.abdomen, plan.body, z)
    draw_abdomen(canvas, plan.abdomen, plan.body, z)
    draw_mediastinum(canvas, plan.chest, z)
    draw_skeleton(canvas, plan.body, z, plan.spine)
    draw_lesions(canvas, plan.lesions, z)
    return canvas


def expose(canvas: Canvas, plan: CtPlan, z: float, number: int) -> np.ndarray:
    """Return the HU that a scanner measures of painted tissues, float32, shape (rows, columns).

    Parameters
    ----------
    z : float
        Height of the slice in mm, for the texture.
    number : int
        Of the slice, for the noise.
    """
    name, size_px = (plan.seed, plan.patient), canvas.size_px
    mottle, grain, settle = (canvas.average(table) for table in tabulate_texture())
    hu = canvas.average(plan.hu)
    hu += mottle * draw_texture(*name, MOTTLE_MM, z, size_px)
    hu += grain * draw_texture(*name, GRAIN_MM, z, size_px)
    hu += settle * ((np.arange(size_px, dtype=np.float32) + 0.5) / size_px - 0.5)[:, None] * FIELD_MM
    solid = np.clip(1 + hu / 1000, 0, 1)
    thick = cv2.GaussianBlur(solid, (0, 0), NOISE_SPREAD_MM * size_px / FIELD_MM)
    hu += plan.noise_hu * (NOISE_IN_AIR + thick) * draw_noise(*name, number, size_px)
    return np.maximum(hu, LOWEST_HU)


def _draw_table(canvas: Canvas, y: float) -> None:
    """Paint the curved table of foam in a shell below the patient."""
    x = np.linspace(-1, 1, 40)
    for inset, tissue in ((0.0, "table_shell"), (1.6, "table_foam")):
        half = 116 - inset
        top = y + 1 - 16 * x**2 + inset
        bottom = y + 22 - 34 * np.abs(x) ** 2.6 - inset
        outline = np.stack([np.append(half * x, half * x[::-1]), np.append(top, bottom[::-1])], axis=1)
        canvas.fill_still(outline, tissue)
