"""Lungs, heart, great vessels and airways of a demo patient."""

from dataclasses import dataclass

import numpy as np

from medscale.phantoms.ct_body import CAVITY_DEPTH, CAVITY_WIDTH, CAVITY_Z, Body
from medscale.phantoms.ct_canvas import Canvas
from medscale.phantoms.ct_sections import (
    AIRWAYS,
    CHEST_MM,
    HEART,
    MEDIASTINUM,
    OESOPHAGUS,
    VESSELS,
    parse_outlines,
    parse_points,
)
from medscale.phantoms.ct_shapes import Hose, Organ, Tube, ellipse, string_balls, tube
from medscale.phantoms.ct_vessels import Tree, grow_tree

AIRWAY_WALL_MM = 1.3
LUNG_TARGETS = 900


@dataclass(frozen=True)
class Chest:
    """The organs of one patient's chest.

    Attributes
    ----------
    mediastinum : Organ
    heart, vessels : tuple of (tissue, Tube)
        In the order of painting.
    airways : tuple of Hose
    oesophagus : Tube
    gas : float
        Radius of the gas in the oesophagus, mm.
    trees : tuple of Tree
        Vessels of both lungs.
    plaques : ndarray, shape (n, 4)
        x, y, z and radius of calcified plaques of the coronary arteries, mm.
    """

    mediastinum: Organ
    heart: tuple[tuple[str, Tube], ...]
    vessels: tuple[tuple[str, Tube], ...]
    airways: tuple[Hose, ...]
    oesophagus: Tube
    gas: float
    trees: tuple[Tree, ...]
    plaques: np.ndarray


def plan_chest(body: Body, rng: np.random.Generator) -> Chest:
    """Draw one patient's chest."""
    scale = body.half_width_mm / CHEST_MM[0], body.half_depth_mm / CHEST_MM[1]
    heights, corners = parse_outlines(MEDIASTINUM)
    shares = np.stack(
        [np.interp(heights, CAVITY_Z, CAVITY_WIDTH), np.interp(heights, CAVITY_Z, CAVITY_DEPTH)], axis=1
    )
    mediastinum = Organ(heights, corners / (shares * CHEST_MM)[:, None], (0, 0)).varied(rng, 0.015, 3)
    size, shift = rng.uniform(0.93, 1.08), (*rng.normal(0, 2.5, 2), rng.normal(0, 5))
    heart = tuple(
        (tissue, tube(text, scale, caps).moved(*shift, size)) for tissue, text, caps in HEART.values()
    )
    vessels = tuple(
        (tissue, tube(text, scale, caps).moved(*rng.normal(0, 0.8, 3), rng.normal(1, 0.07)))
        for tissue, text, caps in VESSELS.values()
    )
    return Chest(
        mediastinum,
        heart,
        vessels,
        tuple(string_balls(parse_points(text) * (*scale, 1, 1)) for text in AIRWAYS.values()),
        tube(OESOPHAGUS, scale, (8, 8)),
        float(rng.uniform(0.5, 4) if rng.random() < 0.6 else 0),
        tuple(_grow_lung(body, side, rng) for side in (-1, 1)),
        _draw_plaques(rng),
    )


def draw_lungs(canvas: Canvas, chest: Chest, body: Body, z: float) -> None:
    """Paint the vessels into the lungs, and the fat between the lungs."""
    for tree in chest.trees:
        tree.draw(canvas, z, "lung_vessel", over=("lung",))
    outline = chest.mediastinum.outline(z)
    if outline is not None:
        canvas.fill(outline * body.cavity_half(z), "inner_fat", over=("lung", "lung_vessel"))


def draw_mediastinum(canvas: Canvas, chest: Chest, z: float) -> None:
    """Paint heart, great vessels, oesophagus and airways."""
    _draw_oesophagus(canvas, chest, z)
    for tissue, part in (*chest.heart, *chest.vessels):
        canvas.fill(part.outline(z), tissue)
    for x, y, height, radius in chest.plaques:
        rest = radius**2 - (z - height) ** 2
        if rest > 0:
            canvas.fill(ellipse(x, y, 1.6 * np.sqrt(rest), np.sqrt(rest)), "calcification")
    for wall, tissue in ((0.0, "bronchus"), (AIRWAY_WALL_MM, "airway")):
        for hose in chest.airways:
            for outline in hose.outlines(z, wall):
                canvas.fill(outline, tissue)


def _draw_oesophagus(canvas: Canvas, chest: Chest, z: float) -> None:
    outline = chest.oesophagus.outline(z)
    canvas.fill(outline, "oesophagus")
    if outline is not None and chest.gas:
        size = chest.gas * (0.6 + 0.4 * np.sin(z / 9))
        canvas.fill(ellipse(*outline.mean(axis=0), size, 0.7 * size), "gas", over=("oesophagus",))


def _draw_plaques(rng: np.random.Generator) -> np.ndarray:
    """Scatter calcified plaques along the coronary arteries of some patients."""
    number = int(rng.integers(0, 7)) if rng.random() < 0.6 else 0
    middles = rng.normal((26, -62, 228), (12, 5, 8), (number, 3))
    return np.column_stack([middles, rng.uniform(0.8, 2.2, number)])


def _grow_lung(body: Body, side: int, rng: np.random.Generator) -> Tree:
    """Grow the vessels of one lung from its hilum."""
    z = rng.uniform(105, 338, LUNG_TARGETS)
    half = np.array([body.cavity_half(height) for height in z])
    radius, angle = np.sqrt(rng.uniform(0, 1, LUNG_TARGETS)), rng.uniform(0, 2 * np.pi, LUNG_TARGETS)
    x = side * (0.55 + 0.40 * radius * np.cos(angle)) * half[:, 0]
    y = (-0.03 + 0.90 * radius * np.sin(angle)) * half[:, 1]
    root = np.array([side * 34.0, 4.0, 250.0])
    return grow_tree(root, np.stack([x, y, z], axis=1), 0.36, rng)
