"""Demo breast ultrasound images with masks, in the layout and naming of BUSI."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from medscale.phantoms.grey_files import write_grey
from medscale.phantoms.lesion_outlines import Outline, draw_field, step
from medscale.seeds import generator

CLASSES = ("benign", "malignant", "normal")
# Echoes of skin, fat, gland and muscle; the scale is arbitrary, since they are compressed by a logarithm.
LAYERS = ("skin", "fat", "gland", "muscle")
ECHOES = (1.6, 0.32, 0.8, 0.3)
ROWS_PER_COLUMN = 0.84
# Independent values of the noise of strands, down and across.
STRANDS = ((50, 7), (80, 13))
# Speckle is weaker than that of one coherent wave, because scanners average several.
SPECKLE = 0.4
SECOND_LESION = 0.15
# From where to where the roughness of lesions goes, and how many images have a lobule of fat in the gland.
ROUGHNESS = {"benign": (0.0, 0.5), "malignant": (0.4, 1.0), "normal": (0.0, 0.0)}
LOBULES = {"benign": 0.2, "malignant": 0.2, "normal": 0.4}
FULL_SIZE_PX, FILE_SIZE_PX = 512, 192
# Speckle's size along the beam and across it, at full size.
SPECKLE_PX = (1.1, 2.0)
# What 0 and 1 stand for in decades of the echo.
DECADES = (-1.5, 1.0)
WHITE = 255


@dataclass(frozen=True)
class BreastPlan:
    """What a demo image looks like, before any pixel; x and y run from 0 (left, skin) to 1 across columns.

    Attributes
    ----------
    depths : tuple of float
        Of the lower ends of skin, fat and gland.
    lesions : tuple of Outline
        None in normal images.
    lobules : tuple of Outline
        Lobules of fat in the gland: dark too, and no lesions.
    roughness : float
        From 0 to 1: how blurred the lesions' border is, how uneven their inside, how dark what lies behind.
    passing : float
        Logarithm of what lesions let through of the beam; below 0 they cast a shadow.
    echo : float
        Of the lesions' inside.
    gain : float
        Brightness of the whole, in decades.
    """

    depths: tuple[float, float, float]
    lesions: tuple[Outline, ...]
    lobules: tuple[Outline, ...]
    roughness: float
    passing: float
    echo: float
    gain: float


def plan_breast(label: str, number: int, seed: int) -> BreastPlan:
    """Decide what a demo image looks like, from its class, its number and the seed.

    Classes overlap as those of real images do: some benign lesions are rougher than some malignant ones,
    some lesions are hardly darker than the gland, and normal images may have lobules of fat that are.
    """
    rng = generator(seed, "demo breast ultrasound", label, number, "plan")
    skin, fat, gland = rng.uniform(0.02, 0.045), rng.uniform(0.16, 0.28), rng.uniform(0.48, 0.62)
    roughness = float(rng.uniform(*ROUGHNESS[label]))
    lesions: tuple[Outline, ...] = ()
    if label == "malignant":
        lesions = (_plan_malignant(rng, roughness),)
    elif label == "benign":
        lesions = _plan_benign(rng, roughness)
    lobules = () if rng.random() > LOBULES[label] else (_plan_lobule(rng),)
    return BreastPlan(
        depths=(float(skin), float(fat), float(gland)),
        lesions=lesions,
        lobules=lobules,
        roughness=roughness,
        passing=1.5 - 3.5 * roughness + float(rng.normal(0, 0.4)),
        echo=float(rng.uniform(0.05, 0.35)),
        gain=float(rng.normal(0, 0.08)),
    )


def draw_breast(label: str, number: int, size_px: int, seed: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Draw a demo image.

    Parameters
    ----------
    label : str
        One of `CLASSES`.
    size_px : int
        Columns; rows are 0.84 times as many.

    Returns
    -------
    grey : ndarray of uint8, shape (rows, columns)
    masks : list of ndarray of uint8, of the same shape
        0 and 255; one for each lesion.
    """
    plan = plan_breast(label, number, seed)
    rng = generator(seed, "demo breast ultrasound", label, number, "texture")
    shape = round(size_px * ROWS_PER_COLUMN), size_px
    y, x = ((np.indices(shape) + 0.5) / size_px).astype(np.float32)
    reaches = [lesion.reach(x, y).astype(np.float32) for lesion in plan.lesions]
    echo, passed = _paint_layers(plan, x, y, rng), np.ones(shape, np.float32)
    for lobule in plan.lobules:
        echo = _paint_lobule(lobule.reach(x, y).astype(np.float32), echo, rng)
    for lesion, reach in zip(plan.lesions, reaches, strict=True):
        echo = _paint_lesion(plan, reach, echo, rng)
        passed *= _pass_behind(plan, lesion, x, y)
    masks = [np.where(reach <= 1, WHITE, 0).astype(np.uint8) for reach in reaches]
    return _expose(echo * passed, y, plan.gain, rng), masks


def name_masks(path: str | Path, seed: int) -> list[Path]:
    """Return the masks of a demo image, of which one with two lesions has two, in BUSI's naming."""
    path = Path(path)
    count = max(1, len(plan_breast(*_parse(path), seed).lesions))
    return [path.with_name(f"{path.stem}_mask{f'_{index}' if index else ''}.png") for index in range(count)]


def write_breast(path: str | Path, seed: int, size_px: int = FILE_SIZE_PX) -> None:
    """Write a demo image as BUSI names its images, `benign/benign (1).png`, with its masks beside it.

    Normal images have an empty mask, as in BUSI.
    """
    grey, masks = draw_breast(*_parse(Path(path)), size_px, seed)
    write_grey(grey, path)
    for name, mask in zip(name_masks(path, seed), masks or [np.zeros_like(grey)], strict=True):
        write_grey(mask, name)


def _parse(path: Path) -> tuple[str, int]:
    """Return class and number of `benign (1).png`."""
    label, number = path.stem.removesuffix(")").split(" (")
    return label, int(number)


def _plan_benign(rng: np.random.Generator, roughness: float) -> tuple[Outline, ...]:
    """Plan one smooth ellipse that is wider than high, or two side by side."""
    places = (0.28, 0.72) if rng.random() < SECOND_LESION else (float(rng.uniform(0.35, 0.65)),)
    lesions = []
    for place in places:
        a = float(rng.uniform(0.07, 0.17 if len(places) == 1 else 0.1))
        height = 0.02 + 0.05 * roughness
        waves = np.column_stack([rng.normal(0, height, 3), rng.uniform(0, 2 * np.pi, 3)])
        y, b = float(rng.uniform(0.27, 0.4)), a * float(rng.uniform(0.5, 0.85))
        lesions.append(Outline(place, y, a, b, waves, np.zeros((0, 3))))
    return tuple(lesions)


def _plan_malignant(rng: np.random.Generator, roughness: float) -> Outline:
    """Plan an irregular lesion with spikes, often higher than wide."""
    a, count = float(rng.uniform(0.08, 0.15)), int(rng.integers(6, 12))
    waves = np.column_stack([rng.normal(0, 0.07 * roughness, 6), rng.uniform(0, 2 * np.pi, 6)])
    spikes = np.column_stack(
        [
            rng.uniform(0, 2 * np.pi, count),
            roughness * rng.uniform(0.0, 0.35, count),
            rng.uniform(0.06, 0.2, count),
        ]
    )
    x, y = float(rng.uniform(0.35, 0.65)), float(rng.uniform(0.27, 0.4))
    return Outline(x, y, a, a * float(rng.uniform(0.6, 1.15)), waves, spikes)


def _plan_lobule(rng: np.random.Generator) -> Outline:
    """Plan a lobule of fat in the gland."""
    a = float(rng.uniform(0.05, 0.14))
    waves = np.column_stack([rng.normal(0, 0.06, 4), rng.uniform(0, 2 * np.pi, 4)])
    x, y = float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.3, 0.45))
    return Outline(x, y, a, a * float(rng.uniform(0.4, 0.8)), waves, np.zeros((0, 3)))


def _paint_layers(plan: BreastPlan, x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the echo of the layers, whose borders undulate, with strands of connective tissue."""
    echo = np.full(y.shape, ECHOES[-1], np.float32)
    for value, depth, swing in reversed(list(zip(ECHOES, plan.depths, (0.002, 0.02, 0.03), strict=False))):
        border = depth + swing * draw_field((1, y.shape[1]), (1, 9), rng)
        echo += (value - echo) * step(y - border, 0.02)
    # Strands run along the skin: the crests of noise that is stretched sideways and bent.
    bend = 0.012 * draw_field(y.shape, (5, 7), rng) * y.shape[1]
    columns, rows = np.meshgrid(*(np.arange(edge, dtype=np.float32) for edge in y.shape[::-1]))
    strands = sum(np.clip(draw_field(y.shape, cells, rng) - 0.8, 0, None) for cells in STRANDS)
    strands = cv2.remap(strands, columns, rows + bend, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    patches = np.exp(0.5 * draw_field(y.shape, (26, 10), rng, 0.8))
    return echo * patches * (1 + 3 * strands * (y > plan.depths[0]))


def _paint_lobule(reach: np.ndarray, echo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the echo with a dark lobule that fades into what surrounds it."""
    texture = np.exp(0.2 * draw_field(reach.shape, (40, 40), rng, 1.0))
    return echo + (ECHOES[1] * texture - echo) * step(reach - 1, 0.6)


def _paint_lesion(
    plan: BreastPlan, reach: np.ndarray, echo: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return the echo with a dark lesion: smooth in a thin bright capsule, or rough in a blurred halo."""
    rough = plan.roughness
    texture = np.exp((0.15 + 0.4 * rough) * draw_field(reach.shape, (40, 40), rng, 1.0))
    halo = np.exp(-(((reach - 1.05 - 0.15 * rough) / (0.05 + 0.17 * rough)) ** 2))
    echo = echo * (1 + (1.2 - 0.4 * rough) * halo)
    return echo + (plan.echo * texture - echo) * step(reach - 1, 0.08 + 0.27 * rough)


def _pass_behind(plan: BreastPlan, lesion: Outline, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return what of the beam passes behind a lesion."""
    across = np.exp(-(np.abs((x - lesion.x) / (0.85 * lesion.a)) ** 4))
    below = step(lesion.y + 0.6 * lesion.b - y, 0.5 * lesion.b)
    fading = np.exp(-np.clip(y - lesion.y, 0, None) / (0.35 + 0.55 * plan.roughness))
    return np.exp(plan.passing * across * below * fading).astype(np.float32)


def _expose(echo: np.ndarray, y: np.ndarray, gain: float, rng: np.random.Generator) -> np.ndarray:
    """Return the image, uint8: echoes under speckle, fainter with depth, compressed by a logarithm."""
    scale = echo.shape[1] / FULL_SIZE_PX
    axial, lateral = (max(size * scale, 0.5) for size in SPECKLE_PX)
    parts = rng.standard_normal((2, *echo.shape)).astype(np.float32)
    waves = [cv2.GaussianBlur(part, (0, 0), sigmaX=lateral, sigmaY=axial) for part in parts]
    speckle = np.hypot(*waves)
    speckle /= speckle.mean()
    received = echo * speckle**SPECKLE * np.exp(-4.0 * np.clip(y - 0.25, 0, None))
    decades = np.log10(received + 1e-3) + gain
    bright = (decades - DECADES[0]) / (DECADES[1] - DECADES[0])
    return np.rint(np.clip(bright, 0, 1) * WHITE).astype(np.uint8)
