"""Paint a demo slide: haematoxylin and eosin from its plan, then colour from its centre's stain."""

import cv2
import numpy as np

from medscale.phantoms.slide_anatomy import ZOOM, Anatomy, build_anatomy
from medscale.phantoms.slide_cells import (
    CENTROBLAST,
    FIBROCYTE,
    HISTIOCYTE,
    LYMPHOCYTE,
    TUMOUR_CELL,
    Cell,
    paint_nuclei,
)
from medscale.phantoms.slide_plan import SLIDE_UM_PX, SlidePlan
from medscale.phantoms.slide_stain import STAINS, draw_ink, stain_tissue, vary_stain
from medscale.seeds import generator

CELLS = {
    "lymphocyte": LYMPHOCYTE,
    "centroblast": CENTROBLAST,
    "histiocyte": HISTIOCYTE,
    "fibrocyte": FIBROCYTE,
}


def paint_slide(plan: SlidePlan) -> np.ndarray:
    """Paint level 0 of a slide.

    Returns
    -------
    ndarray, shape `plan.shape_px` + (3,), uint8
        Red, green and blue at `SLIDE_UM_PX` µm per pixel.
    """
    rng = generator(plan.seed, "demo slide", plan.slide, plan.centre, plan.label, "paint")
    anatomy = build_anatomy(plan, rng)
    nuclei = _paint_all_nuclei(anatomy, rng)
    eosin = _enlarge(anatomy.eosin)
    eosin *= 1 + _draw_streaks(rng, anatomy.fibre)
    eosin *= 1 - 0.5 * np.minimum(nuclei, 1)
    nuclei += _enlarge(anatomy.haematoxylin)
    tissue = _enlarge(anatomy.thickness * (1 - anatomy.clear))
    nuclei *= tissue
    eosin *= tissue
    colour = stain_tissue(nuclei, eosin, vary_stain(STAINS[plan.centre], rng), rng)
    for pen in plan.pens:
        draw_ink(colour, pen.line_um / SLIDE_UM_PX, round(pen.width_um / SLIDE_UM_PX), pen.ink)
    return colour


def _paint_all_nuclei(anatomy: Anatomy, rng: np.random.Generator) -> np.ndarray:
    if anatomy.tumour.any():
        nuclei = _paint_kind(anatomy, "tumour", TUMOUR_CELL, rng)
        nuclei *= _enlarge(anatomy.tumour_stain)
    else:
        nuclei = np.zeros(tuple(ZOOM * n for n in anatomy.clear.shape), np.float32)
    for name, cell in CELLS.items():
        np.maximum(nuclei, _paint_kind(anatomy, name, cell, rng), out=nuclei)
    return nuclei


def _paint_kind(anatomy: Anatomy, name: str, cell: Cell, rng: np.random.Generator) -> np.ndarray:
    return paint_nuclei(rng, cell, getattr(anatomy, name), ZOOM, SLIDE_UM_PX)


def _enlarge(layer: np.ndarray) -> np.ndarray:
    """Enlarge a map to the slide's pixels."""
    size = (layer.shape[1] * ZOOM, layer.shape[0] * ZOOM)
    return cv2.resize(layer, size, interpolation=cv2.INTER_LINEAR)


def _draw_streaks(rng: np.random.Generator, fibre: np.ndarray) -> np.ndarray:
    """Draw the waves of fibres where there are any, and a slight grain elsewhere, as a share of the eosin."""
    rows, columns = fibre.shape[0] * 2, fibre.shape[1] * 2
    threads = rng.standard_normal((rows, columns // 10 + 1), dtype=np.float32)
    threads = cv2.resize(threads, (columns, rows), interpolation=cv2.INTER_LINEAR)
    bend = rng.standard_normal((rows // 60 + 2, columns // 60 + 2), dtype=np.float32) * 25
    bend = cv2.resize(bend, (columns, rows), interpolation=cv2.INTER_CUBIC)
    y, x = np.indices((rows, columns), dtype=np.float32)
    threads = cv2.remap(threads, x, y + bend, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    threads *= 0.1 + 0.3 * cv2.resize(fibre, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return cv2.resize(threads, (2 * columns, 2 * rows), interpolation=cv2.INTER_LINEAR)
