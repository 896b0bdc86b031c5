"""Diaphragm, liver, spleen, kidneys, pancreas and deep muscles of a demo patient."""

from dataclasses import dataclass, replace

import numpy as np

from medscale.phantoms.ct_body import Body
from medscale.phantoms.ct_canvas import Canvas
from medscale.phantoms.ct_gut import ROOM, Gut, draw_bowel, draw_stomach, plan_gut, vary_line
from medscale.phantoms.ct_sections import (
    BELLY_MM,
    GALLBLADDER,
    LEFT_KIDNEY,
    ORGANS,
    PANCREAS,
    parse_outlines,
    parse_points,
)
from medscale.phantoms.ct_shapes import Hose, Organ, Tube, ellipse, shrink, string_balls, tube
from medscale.phantoms.ct_vessels import Tree, grow_tree

# The halves of the diaphragm, its middle and its back beside the spine: x, y as shares of the cavity, width
# and depth relative to the halves, and how far its top lies below that of the right half, mm.
DOMES = (
    (-0.48, -0.08, 1.0, 1.0, 0.0),
    (0.47, -0.04, 1.0, 1.0, 13.0),
    (0.06, -0.55, 1.1, 0.6, 24.0),
    (0.0, 0.8, 1.1, 0.5, 78.0),
)
DOME_TOP_MM, DOME_DEPTH_MM, DIAPHRAGM_MM = 196.0, 82.0, 2.0
# Root in mm, lowest and highest reach in mm, and branches of the portal vein and of the hepatic veins.
LIVER_TREES = (((-22.0, -6.0, 96.0), 50, 165, 34), ((-28.0, 4.0, 172.0), 110, 190, 26))
MESENTERY_ROOT, MESENTERY_TWIGS = (2.0, -4.0, 78.0), 90
PYRAMIDS = 6
ADRENAL_RISE_MM, ADRENAL_HALF_MM = 10.0, 15.0


@dataclass(frozen=True)
class Abdomen:
    """The organs of one patient's abdomen.

    Attributes
    ----------
    dome_top_mm : float
        Height of the top of the right half of the diaphragm.
    liver, spleen : Organ
    gut : Gut
    kidneys : (Tube, Tube)
        Right and left.
    gallbladder : Tube
    pancreas : Hose
    liver_trees : tuple of Tree
    twigs : Tree
        Vessels of the mesentery.
    """

    dome_top_mm: float
    liver: Organ
    spleen: Organ
    gut: Gut
    kidneys: tuple[Tube, Tube]
    gallbladder: Tube
    pancreas: Hose
    liver_trees: tuple[Tree, ...]
    twigs: Tree


def plan_abdomen(body: Body, rng: np.random.Generator) -> Abdomen:
    """Draw one patient's abdomen."""
    width, depth = body.cavity_half(60)
    scale = (width / BELLY_MM[0], depth / BELLY_MM[1])
    liver, spleen = (
        Organ(*parse_outlines(table), caps).varied(rng, 0.02, 4)
        for table, caps in (ORGANS["liver"], ORGANS["spleen"])
    )
    gallbladder = tube(GALLBLADDER, scale, (8, 8))
    return Abdomen(
        DOME_TOP_MM + float(rng.normal(0, 6)),
        liver,
        spleen,
        plan_gut(body, rng),
        (_plan_kidney(-1, scale, rng), _plan_kidney(1, scale, rng)),
        gallbladder.moved(*rng.normal(0, 3, 3), rng.uniform(0.7, 1.15)),
        string_balls(vary_line(parse_points(PANCREAS), scale, rng)),
        _grow_liver(body, rng),
        _grow_mesentery(scale, rng),
    )


def draw_diaphragm(canvas: Canvas, abdomen: Abdomen, body: Body, z: float) -> None:
    """Paint the diaphragm, and the belly's fat below it, into the chest."""
    width, depth = body.cavity_half(z)
    outlines = []
    for x, y, wide, deep, lower in DOMES:
        below = abdomen.dome_top_mm - lower - z
        if below > 0:
            size = min(np.sqrt(below / DOME_DEPTH_MM), 1.6)
            half_width, half_depth = 0.53 * wide * size * width, 0.93 * deep * size * depth
            outlines.append(ellipse(x * width, y * depth, half_width, half_depth))
    for outline in outlines:
        canvas.fill(outline, "diaphragm", over=("lung", "lung_vessel", "inner_fat"))
    for outline in outlines:
        canvas.fill(shrink(outline, DIAPHRAGM_MM), "belly_fat", over=("diaphragm",))


def draw_abdomen(canvas: Canvas, abdomen: Abdomen, body: Body, z: float) -> None:
    """Paint the organs below the diaphragm, but not the great vessels and the bones."""
    _draw_deep_muscles(canvas, body, z)
    abdomen.twigs.draw(canvas, z, "vein", over=("belly_fat",))
    draw_bowel(canvas, abdomen.gut, z)
    for outline in abdomen.pancreas.outlines(z):
        canvas.fill(outline, "pancreas", over=("belly_fat",))
    for side, kidney in zip((-1, 1), abdomen.kidneys, strict=True):
        _draw_kidney(canvas, side, kidney, z)
        _draw_adrenal(canvas, side, kidney, z)
    draw_stomach(canvas, abdomen.gut, body, z)
    for tissue, organ in (("spleen", abdomen.spleen), ("liver", abdomen.liver)):
        outline = organ.outline(z)
        if outline is not None:
            canvas.fill(outline * body.cavity_half(z), tissue, over=(*ROOM, "pancreas"))
    for tree in abdomen.liver_trees:
        tree.draw(canvas, z, "liver_vessel", over=("liver",))
    bile = abdomen.gallbladder.outline(z)
    if bile is not None:
        canvas.fill(bile, "gut_wall", over=("liver", "belly_fat"))
        canvas.fill(shrink(bile, 1.2), "bile", over=("gut_wall",))


def _draw_deep_muscles(canvas: Canvas, body: Body, z: float) -> None:
    """Paint psoas, quadratus lumborum and the crura of the diaphragm."""
    spine = body.spine_y(z)
    psoas = np.sqrt(np.clip((88 - z) / 70, 0, 1))
    loin = np.sqrt(np.clip((100 - z) / 30, 0, 1))
    crus = np.sqrt(np.clip(1 - ((z - 100) / 52) ** 2, 0, 1))
    for side in (-1, 1):
        if psoas > 0:
            size = body.muscle * psoas
            outline = ellipse(side * (24 + 12 * psoas), spine + 2, 15 * size, 18 * size, side * 0.3)
            canvas.fill(outline, "muscle")
        if loin > 0:
            outline = ellipse(side * 58, spine + 19, 22 * loin, 8 * body.muscle * loin, side * -0.35)
            canvas.fill(outline, "muscle", over=("belly_fat",))
        if crus > 0:
            outline = ellipse(side * 17 + 3, spine - 18, 4.5 * crus, 14 * crus, side * -0.25)
            canvas.fill(outline, "muscle", over=("belly_fat",))


def _draw_kidney(canvas: Canvas, side: int, kidney: Tube, z: float) -> None:
    """Paint cortex, pyramids, the fat of the sinus, the pelvis and the renal vein."""
    outline = kidney.outline(z)
    if outline is None:
        return
    canvas.fill(outline, "kidney_cortex", over=(*ROOM, "vein"))
    middle, half = outline.mean(axis=0), 0.5 * np.ptp(outline, axis=0)
    height = (z - kidney.z.mean()) / np.ptp(kidney.z)
    for turn in np.arange(PYRAMIDS) * 2 * np.pi / PYRAMIDS + 5 * height:
        place = middle + 0.58 * half * (np.cos(turn), np.sin(turn))
        pyramid = ellipse(*place, 0.23 * half[0], 0.2 * half[1], turn)
        canvas.fill(pyramid, "kidney_medulla", over=("kidney_cortex",))
    hollow = 1 - (height / 0.45) ** 2
    if hollow > 0:
        inner = middle + half * (-side * 0.42, -0.1)
        wide, deep = half * (0.62, 0.42) * np.sqrt(hollow)
        sinus = ellipse(*inner, wide, deep, side * 0.35)
        canvas.fill(sinus, "belly_fat", over=("kidney_cortex", "kidney_medulla"))
        pelvis = ellipse(*inner, 0.36 * hollow * half[0], 0.16 * hollow * half[1], side * 0.35)
        canvas.fill(pelvis, "gut_fluid", over=("belly_fat",))
    if abs(height) < 0.1:
        half_vein = 3.6 * np.sqrt(1 - (height / 0.1) ** 2)
        _draw_renal_vein(canvas, middle - half * (side * 0.5, 0), side, half_vein)


def _draw_adrenal(canvas: Canvas, side: int, kidney: Tube, z: float) -> None:
    """Paint the two limbs of the gland that sits in front of the upper end of a kidney."""
    rest = 1 - ((z - kidney.z[-1] - ADRENAL_RISE_MM) / ADRENAL_HALF_MM) ** 2
    if rest <= 0:
        return
    x, y = kidney.sections[-1, 0] - side * 19, kidney.sections[-1, 1] - 10
    for lean in (0.35, -0.3):
        limb = ellipse(
            x + 7 * side * lean, y, 9 * np.sqrt(rest), 2.2 * np.sqrt(rest), np.pi / 2 - side * lean
        )
        canvas.fill(limb, "adrenal", over=("belly_fat",))


def _draw_renal_vein(canvas: Canvas, start: np.ndarray, side: int, half_mm: float) -> None:
    """Paint the vein to the inferior vena cava, from the left in front of the aorta."""
    end = np.array((-24.0, 20.0) if side < 0 else (0.0, 14.0))
    step = (end - start) / np.hypot(*(end - start))
    across = half_mm * np.array([-step[1], step[0]])
    outline = np.array([start + across, end + across, end - across, start - across])
    canvas.fill(outline, "vein", over=("belly_fat", "muscle"))


def _plan_kidney(side: int, scale: tuple[float, float], rng: np.random.Generator) -> Tube:
    kidney = tube(LEFT_KIDNEY, scale, (16, 18))
    kidney = replace(kidney, sections=kidney.sections * (side, 1, 1, 1, side))
    higher = 8 * (side > 0) + rng.normal(0, 6)
    return kidney.moved(*rng.normal(0, 2.5, 2), higher, rng.uniform(0.85, 1.12))


def _grow_liver(body: Body, rng: np.random.Generator) -> tuple[Tree, ...]:
    """Grow the portal vein from the hilum, and the hepatic veins towards the inferior vena cava."""
    trees = []
    for root, low, high, count in LIVER_TREES:
        z = rng.uniform(low, high, count)
        half = np.array([body.cavity_half(height) for height in z])
        place = rng.uniform((-0.88, -0.7), (0.2, 0.5), (count, 2)) * half
        trees.append(grow_tree(np.array(root), np.column_stack([place, z]), 1.0, rng))
    return tuple(trees)


def _grow_mesentery(scale: tuple[float, float], rng: np.random.Generator) -> Tree:
    """Grow the vessels of the mesentery from below the pancreas."""
    targets = rng.uniform((-75, -62, -30), (80, 20, 100), (MESENTERY_TWIGS, 3)) * (*scale, 1)
    return grow_tree(np.array(MESENTERY_ROOT), targets, 0.7, rng)
