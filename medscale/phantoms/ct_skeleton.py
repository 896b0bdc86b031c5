"""Spine, ribs, sternum and shoulder blades of a demo patient."""

import numpy as np

from medscale.phantoms.ct_body import Body, band
from medscale.phantoms.ct_canvas import Canvas
from medscale.phantoms.ct_shapes import ellipse, shrink, smooth

# Middles of the vertebrae from the fourth lumbar one to the first thoracic one, mm.
VERTEBRAE_Z = np.array([-23.0, 12, 46, 78, 107, 133, 157, 181, 204, 227, 250, 272, 293, 313, 333, 352])
TWELFTH_RIB = 4
# Angle from the back, in degrees, at which each rib's bone ends, from the twelfth to the second.
RIB_ENDS = (62, 84, 112, 122, 128, 134, 138, 142, 144, 146, 148)
CARTILAGE_END = 162.0
RIB_HALF_HEIGHT_MM, RIB_HALF_MM, CORTEX_MM = 7.0, 3.9, 1.2


def draw_skeleton(canvas: Canvas, body: Body, z: float, spine: float) -> None:
    """Paint all bones at height `z`.

    Parameters
    ----------
    spine : float
        Size of this patient's vertebrae relative to the usual.
    """
    draw_ribs(canvas, body, z)
    if z > 215:
        _draw_shoulder_blades(canvas, body, z)
    if z > 200:
        _draw_sternum(canvas, body, z)
    draw_vertebra(canvas, body, z, spine)


def draw_ribs(canvas: Canvas, body: Body, z: float) -> None:
    """Paint where the ribs, which slope down to the front, cut the plane."""
    for place, end in enumerate(RIB_ENDS):
        behind = np.radians(np.arange(15.0, CARTILAGE_END, 0.75))
        rib_z = VERTEBRAE_Z[TWELFTH_RIB + place] - _fall(np.degrees(behind), place)
        bony = behind <= np.radians(end)
        last = CARTILAGE_END if place >= 2 else end
        soft = ~bony & (behind <= np.radians(last))
        for side in (-1, 1):
            _draw_strips(canvas, body, z, side, behind[soft], rib_z[soft], "cartilage")
            _draw_strips(canvas, body, z, side, behind[bony], rib_z[bony], "cortex")


def draw_vertebra(canvas: Canvas, body: Body, z: float, scale: float) -> None:
    """Paint the vertebra or the disc at height `z` with the canal and the processes behind it."""
    nearest = int(np.abs(VERTEBRAE_Z - z).argmin())
    spacing = float(np.interp(z, VERTEBRAE_Z[:-1], np.diff(VERTEBRAE_Z)))
    phase = (z - VERTEBRAE_Z[nearest]) / spacing
    lumbar = float(np.clip((120 - z) / 100, 0, 1))
    half_width, half_depth = scale * (15.5 + 8 * lumbar), scale * (14.5 + 3 * lumbar)
    middle_y = body.spine_y(z)
    canal_y = middle_y + half_depth + 7.0
    waist = 1 - 0.1 * np.cos(np.pi * np.clip(phase / 0.42, -1, 1)) ** 2
    _draw_arch(canvas, canal_y, phase, scale, lumbar)
    front = _draw_body_outline(middle_y, waist * half_width, waist * half_depth)
    if abs(phase) > 0.42:
        canvas.fill(front, "disc")
    else:
        canvas.fill(front, "cortex" if abs(phase) < 0.34 else "endplate")
        canvas.fill(shrink(front, 1.3 + max(abs(phase) - 0.36, 0) * 300), "marrow")
    canvas.fill(ellipse(0, canal_y, 10.5 * scale, 8.0 * scale), "canal")
    canvas.fill(ellipse(0, canal_y - 0.5, 5.2 if z > 70 else 3.5, 4.0 if z > 70 else 2.5), "cord")


def _draw_body_outline(y: float, half_width: float, half_depth: float) -> np.ndarray:
    """Return a vertebral body: round in front, hollow behind."""
    right = [(0.72, -0.78), (1, 0), (0.85, 0.8), (0.35, 0.86)]
    left = [(-x, y) for x, y in reversed(right)]
    corners = np.array([(0, -1), *right, (0, 0.76), *left]) * (half_width, half_depth)
    return smooth(corners + np.array([0, y]))


def _draw_arch(canvas: Canvas, y: float, phase: float, scale: float, lumbar: float) -> None:
    """Paint pedicles, laminae, transverse processes and the spinous process around a canal at `y`."""
    ring = _hump(phase, 0.12, 0.3)
    wings = _hump(phase, 0.1, 0.2)
    spine = _hump(phase, -0.18 + 0.1 * lumbar, 0.34)
    joints = _hump(phase, 0.45, 0.3) + _hump(phase, -0.55, 0.3)
    for side in (-1, 1):
        if wings > 0:
            reach = (22 + 10 * lumbar) * scale
            wing = ellipse(side * reach * 0.72, y + 2 - 4 * lumbar, reach * 0.55, 4.6 * wings, side * 0.3)
            _draw_bone(canvas, wing)
        if joints > 0:
            _draw_bone(canvas, ellipse(side * 14 * scale, y + 7, 6.5 * joints, 5 * joints, side * 0.7))
        if ring > 0:
            _draw_bone(canvas, ellipse(side * 12.5 * scale, y - 3, 4 * ring, 9.5, 0))
        _draw_bone(canvas, ellipse(side * 6.5 * scale, y + 8.5, 8.5 * scale, 2.6 + ring, side * -0.6))
    if spine > 0:
        length = (11 + 3 * lumbar) * spine
        _draw_bone(canvas, ellipse(0, y + 10 + length, 2.6 + 1.2 * lumbar, length))


def _draw_bone(canvas: Canvas, outline: np.ndarray, cortex_mm: float = CORTEX_MM) -> None:
    canvas.fill(outline, "cortex")
    canvas.fill(shrink(outline, cortex_mm), "marrow")


def _draw_strips(
    canvas: Canvas, body: Body, z: float, side: int, behind: np.ndarray, rib_z: np.ndarray, tissue: str
) -> None:
    """Paint the parts of one rib that lie at height `z`, with marrow inside bone."""
    layers = [(tissue, 0.0)] + ([("marrow", CORTEX_MM)] if tissue == "cortex" else [])
    for layer, inset in layers:
        share = 1 - ((z - rib_z) / (RIB_HALF_HEIGHT_MM - inset)) ** 2
        inside = np.flatnonzero(share > 0)
        for run in np.split(inside, np.flatnonzero(np.diff(inside) > 1) + 1):
            if len(run) > 2:
                half = (RIB_HALF_MM - inset) * np.sqrt(share[run])
                canvas.fill(band(body, z, side, behind[run], np.full(len(run), 5.4), half), layer)


def _fall(degrees: np.ndarray, place: int) -> np.ndarray:
    """Return how far rib number `12 - place` has come down at `degrees` from the back, mm."""
    steep = 78.0 if place > 1 else 45.0
    down = steep * np.sin(np.clip(degrees / 118, 0, 1) * np.pi / 2) ** 1.4
    back_up = (26 + 5 * (9 - place)) * np.clip((degrees - 118) / 44, 0, 1) ** 1.5
    return down - (back_up if place < 9 else 0)


def _draw_sternum(canvas: Canvas, body: Body, z: float) -> None:
    depth = body.cavity_half(z)[1]
    share = np.clip((z - 200) / 8, 0, 1) * (1 - 0.5 * np.exp(-(((z - 290) / 3) ** 2)))
    half = 15 + 8 * np.clip((z - 288) / 12, 0, 1)
    _draw_bone(canvas, ellipse(0, -(depth + 5.5), half * share, 5.2), 1.0)


def _draw_shoulder_blades(canvas: Canvas, body: Body, z: float) -> None:
    share = float(np.clip((z - 215) / 60, 0, 1))
    behind = np.radians(np.linspace(56 - 16 * share, 60 + 18 * share, 30))
    along = np.linspace(-1, 1, 30)
    half = (2.0 + 2.4 * np.exp(-(((along - 0.75) / 0.25) ** 2))) * np.sqrt(np.maximum(1 - along**6, 0.02))
    depth = body.muscle * 15 + 2 - 2.5 * along
    for side in (-1, 1):
        canvas.fill(band(body, z, side, behind, depth, half), "cortex", over=("muscle", "fat"))
        inner = np.maximum(half - CORTEX_MM, 0.1)[2:-2]
        canvas.fill(band(body, z, side, behind[2:-2], depth[2:-2], inner), "marrow", over=("cortex",))


def _hump(phase: float, middle: float, half: float) -> float:
    """Return the height of a round hump around `middle`, 0 to 1."""
    return float(np.sqrt(max(1 - ((phase - middle) / half) ** 2, 0)))
