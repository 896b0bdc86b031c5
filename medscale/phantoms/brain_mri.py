"""Demo brain MR images: axial slices with or without a tumour, in the layout of the collection on the web."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from medscale.phantoms.grey_files import write_grey
from medscale.phantoms.lesion_outlines import Outline, draw_field, step
from medscale.seeds import generator

TISSUES = ("scalp", "bone", "fluid", "grey", "white", "tumour", "rim", "oedema")
# Brightness of each tissue from 0 to 1, by the weighting of the sequence.
WEIGHTINGS = {
    "t1": (0.85, 0.06, 0.10, 0.36, 0.50, 0.30, 0.90, 0.30),
    "t2": (0.60, 0.05, 0.90, 0.45, 0.30, 0.75, 0.60, 0.85),
    "flair": (0.70, 0.05, 0.08, 0.42, 0.34, 0.62, 0.80, 0.80),
}
# Shares of the head's half axes.
SKULL_OUTER, SKULL_INNER, BRAIN = 0.945, 0.885, 0.865
FISSURE, FURROW, BARK = 0.014, 0.17, 0.04
# Independent values of the noise that decides how bark is folded.
FOLDS = (60, 60)
FULL_SIZE_PX = 256
BLUR_PX = 0.8
SHADES = 255
FILE_SIZE_PX = 192
COPY = " copy"


@dataclass(frozen=True)
class BrainPlan:
    """What a demo brain looks like, before any pixel; coordinates run from -1 to 1 across the picture.

    Attributes
    ----------
    weighting : str
        A key of `WEIGHTINGS`.
    a, b : float
        Half axes of the head, to the side and from front to back.
    x, y, turn : float
        Its middle, and its turn in rad.
    ventricle : float
        Width of the ventricles; 1 is usual.
    tumour : Outline or None
        In the head's coordinates.
    oedema : float
        How far fluid reaches beyond the tumour, as a share of its radius.
    rimmed : bool
        Whether its rim is brighter than its core.
    noise, shading : float
        Standard deviation of the noise, and strength of the bias field.
    """

    weighting: str
    a: float
    b: float
    x: float
    y: float
    turn: float
    ventricle: float
    tumour: Outline | None
    oedema: float
    rimmed: bool
    noise: float
    shading: float


def plan_brain(name: str, seed: int, *, tumour: bool) -> BrainPlan:
    """Decide what a demo brain looks like, from its name and the seed."""
    rng = generator(seed, "demo brain mri", name, "plan")
    return BrainPlan(
        weighting=str(rng.choice(list(WEIGHTINGS))),
        a=float(rng.uniform(0.64, 0.78)),
        b=float(rng.uniform(0.82, 0.93)),
        x=float(rng.normal(0, 0.02)),
        y=float(rng.normal(0, 0.02)),
        turn=float(rng.normal(0, 0.06)),
        ventricle=float(rng.uniform(0.5, 1.6)),
        tumour=_plan_tumour(rng) if tumour else None,
        oedema=float(rng.uniform(0.25, 0.8)),
        rimmed=bool(rng.random() < 0.5),
        noise=float(rng.uniform(0.005, 0.02)),
        shading=float(rng.uniform(0.04, 0.14)),
    )


def draw_brain(name: str, size_px: int, seed: int, *, tumour: bool) -> np.ndarray:
    """Draw a demo brain.

    Parameters
    ----------
    name : str
        With the seed, decides what it looks like.
    size_px : int
        Rows and columns.
    tumour : bool
        Whether there is one.

    Returns
    -------
    ndarray of uint8, shape (size_px, size_px)
        Front above, back below.
    """
    plan = plan_brain(name, seed, tumour=tumour)
    rng = generator(seed, "demo brain mri", name, "texture")
    u, v = _head_coordinates(plan, size_px)
    brightness = dict(zip(TISSUES, WEIGHTINGS[plan.weighting], strict=True))
    picture = _paint_brain(plan, *_push_aside(plan, u, v), brightness, rng)
    if plan.tumour:
        picture = _paint_tumour(plan, plan.tumour, u, v, picture, brightness, rng)
    picture = _paint_head(u, v, picture, brightness)
    blur = BLUR_PX * size_px / FULL_SIZE_PX
    return _expose(cv2.GaussianBlur(picture, (0, 0), blur), plan, rng)


def write_brain(path: str | Path, seed: int, size_px: int = FILE_SIZE_PX) -> None:
    """Write a demo brain as the collection names its images: `yes/Y1.jpg`, `no/1 no.jpg`.

    The folder says whether there is a tumour. `Y1 copy.jpg` is the same image as `Y1.jpg`: what a guard
    against duplicates has to find.
    """
    path = Path(path)
    grey = draw_brain(path.stem.removesuffix(COPY), size_px, seed, tumour=path.parent.name == "yes")
    write_grey(grey, path)


def _plan_tumour(rng: np.random.Generator) -> Outline:
    """Plan a tumour within one half of the brain."""
    radius, turn = float(rng.uniform(0.1, 0.24)), float(rng.uniform(0, 2 * np.pi))
    side = 1 if rng.random() < 0.5 else -1
    waves = np.column_stack([rng.normal(0, 0.16, 5) / np.arange(2, 7), rng.uniform(0, 2 * np.pi, 5)])
    x, y = side * (0.34 + 0.14 * np.cos(turn)), 0.42 * np.sin(turn)
    return Outline(x, y, radius * float(rng.uniform(0.85, 1.2)), radius, waves, np.zeros((0, 3)))


def _head_coordinates(plan: BrainPlan, size_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Return coordinates, float32, that are 1 away from 0 on the surface of the head."""
    line = ((np.arange(size_px) + 0.5) / size_px * 2 - 1).astype(np.float32)
    x, y = np.meshgrid(line - np.float32(plan.x), line - np.float32(plan.y))
    cosine, sine = np.float32(np.cos(plan.turn)), np.float32(np.sin(plan.turn))
    return (x * cosine + y * sine) / np.float32(plan.a), (y * cosine - x * sine) / np.float32(plan.b)


def _push_aside(plan: BrainPlan, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where tissue was before the tumour pushed it outwards."""
    if not plan.tumour:
        return u, v
    away_u, away_v = u - np.float32(plan.tumour.x), v - np.float32(plan.tumour.y)
    radius = 2 * max(plan.tumour.a, plan.tumour.b)
    push = np.float32(0.45) * np.exp(-(away_u**2 + away_v**2) / np.float32(radius**2))
    return u - push * away_u, v - push * away_v


def _paint_brain(
    plan: BrainPlan, u: np.ndarray, v: np.ndarray, brightness: dict[str, float], rng: np.random.Generator
) -> np.ndarray:
    """Return brightness of the brain, as if it filled the picture."""
    depth = BRAIN - np.hypot(u, v)
    folds = np.abs(draw_field(u.shape, FOLDS, rng, 1.0))
    reach = FURROW + 0.07 * draw_field(u.shape, (9, 9), rng)
    # Bark lines the surface and both sides of each furrow, where the noise passes zero; so white matter
    # reaches outwards between furrows, as it does in convolutions.
    bark = np.maximum(step(depth - BARK, 0.04), step(folds - 0.6, 0.4) * step(depth - reach - BARK, 0.06))
    picture = _mix(np.full_like(u, brightness["white"]), brightness["grey"], bark)
    furrows = step(folds - 0.2, 0.25) * step(depth - reach, 0.06)
    gap = step(np.abs(u) - FISSURE, 0.02) * step(0.36 - np.abs(v - 0.04), 0.06)
    picture = _mix(picture, brightness["fluid"], np.maximum(0.8 * furrows, gap))
    for side in (-1, 1):
        nucleus = Outline(side * 0.27, 0.02, 0.11, 0.19, np.zeros((0, 2)), np.zeros((0, 3)))
        picture = _mix(picture, brightness["grey"], step(nucleus.reach(u, v) - 1, 0.2))
    return _mix(picture, brightness["fluid"], _ventricles(plan, u, v))


def _ventricles(plan: BrainPlan, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return the share of fluid: horns to the front and back at both sides, and a slit in the middle."""
    share = step(np.abs(u) - 0.012 * plan.ventricle, 0.02) * step(np.abs(v - 0.08) - 0.07, 0.04)
    for side in (-1, 1):
        for bend, middle, length in ((0.35, -0.2, 0.15), (-0.5, 0.27, 0.17)):
            line = side * (0.1 + bend * np.abs(v - 0.02) * (0.5 if bend > 0 else -0.9))
            along = (v - middle) / (length * np.sqrt(plan.ventricle))
            width = 0.045 * plan.ventricle * np.sqrt(np.clip(1 - along**2, 0, 1))
            share = np.maximum(share, step(np.abs(u - line) - width, 0.02) * (width > 0))
    return share


def _paint_tumour(
    plan: BrainPlan,
    tumour: Outline,
    u: np.ndarray,
    v: np.ndarray,
    picture: np.ndarray,
    brightness: dict[str, float],
    rng: np.random.Generator,
) -> np.ndarray:
    reach = tumour.reach(u, v).astype(np.float32)
    ragged = reach + 0.12 * draw_field(u.shape, (28, 28), rng, 0.8)
    picture = _mix(picture, brightness["oedema"], 0.8 * step(ragged - 1 - plan.oedema, 0.5))
    texture = 1 + 0.12 * draw_field(u.shape, (36, 36), rng, 1.0)
    core = brightness["tumour"] if plan.rimmed else brightness["rim"]
    picture = _mix(picture, core * texture, step(reach - 1, 0.1))
    if plan.rimmed:
        picture = _mix(picture, brightness["rim"] * texture, step(np.abs(reach - 0.88) - 0.1, 0.1))
    return picture


def _paint_head(
    u: np.ndarray, v: np.ndarray, picture: np.ndarray, brightness: dict[str, float]
) -> np.ndarray:
    """Return the brain within its fluid, skull and scalp, on black."""
    out = np.hypot(u, v)
    head = brightness["scalp"] * step(out - 1, 0.02)
    for tissue, radius in (("bone", SKULL_OUTER), ("fluid", SKULL_INNER)):
        head = _mix(head, brightness[tissue], step(out - radius, 0.02))
    return _mix(head, picture, step(out - BRAIN, 0.02)).astype(np.float32)


def _expose(picture: np.ndarray, plan: BrainPlan, rng: np.random.Generator) -> np.ndarray:
    """Return the picture under a bias field and with the noise of a magnitude, uint8."""
    shade = np.exp(plan.shading * draw_field(picture.shape, (5, 5), rng, 1.0))
    real, imaginary = plan.noise * rng.standard_normal((2, *picture.shape)).astype(np.float32)
    magnitude = np.hypot(picture * shade + real, imaginary)
    return np.rint(np.clip(magnitude, 0, 1) * SHADES).astype(np.uint8)


def _mix(below: np.ndarray, above: np.ndarray | float, share: np.ndarray) -> np.ndarray:
    return below + (above - below) * share
