"""The patient's frame: the cavity of chest and belly, the wall of muscle around it, fat and skin."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from medscale.phantoms.ct_canvas import Canvas
from medscale.phantoms.ct_shapes import ellipse

# Heights in mm above the third lumbar vertebra, and the cavity there relative to the middle of the chest.
CAVITY_Z = np.array([0.0, 60, 120, 180, 230, 270, 300, 330])
CAVITY_WIDTH = np.array([0.90, 0.95, 1.0, 1.0, 0.98, 0.91, 0.81, 0.66])
CAVITY_DEPTH = np.array([0.83, 0.90, 0.97, 1.0, 1.0, 0.94, 0.84, 0.70])
LOWEST_MM, HIGHEST_MM = 0.0, 315.0
ANGLES = np.linspace(-np.pi, np.pi, 180, endpoint=False)
BACK = np.pi / 2
SKIN_MM, THINNEST_FAT_MM, PLEURA_MM = 1.8, 2.0, 1.5


@dataclass(frozen=True)
class Body:
    """Build of one patient.

    Attributes
    ----------
    half_width_mm, half_depth_mm : float
        Half the inner width and depth of the chest, where it is widest.
    roundness : float
        Exponent of the superellipse of the cavity; 2 is an ellipse.
    muscle : float
        Thickness of the muscles relative to the usual.
    fat_mm : float
        Fat below the skin at the sides.
    belly_mm : float
        More of it at the belly.
    breast_mm : float
        Height of the breasts; 0 for men.
    waves : ndarray, shape (k, 2)
        Cosine and sine of the waves, two and more around the cavity, by which it is no superellipse.
    """

    half_width_mm: float
    half_depth_mm: float
    roundness: float
    muscle: float
    fat_mm: float
    belly_mm: float
    breast_mm: float
    waves: np.ndarray

    def cavity_half(self, z: float) -> tuple[float, float]:
        """Return half-width and half-depth of the cavity at height `z`, mm."""
        width = self.half_width_mm * np.interp(z, CAVITY_Z, CAVITY_WIDTH)
        depth = self.half_depth_mm * np.interp(z, CAVITY_Z, CAVITY_DEPTH)
        return float(width), float(depth)

    def spine_y(self, z: float) -> float:
        """Return where the middle of the vertebral bodies lies behind the middle of the cavity, mm."""
        return self.cavity_half(z)[1] - 22.0

    def ends_y(self) -> tuple[float, float]:
        """Return where the front and the back of the torso lie, mm."""
        skins = [self.skin(z) for z in np.linspace(LOWEST_MM, HIGHEST_MM, 16)]
        reach = np.array(skins) * np.sin(ANGLES)
        return float(reach.min()), float(reach.max())

    def muscles(self, z: float) -> np.ndarray:
        """Return the radius of the muscles' surface at `ANGLES`, mm."""
        return gaussian_filter1d(self.cavity(z, ANGLES) + self.wall(z, ANGLES), 2, mode="wrap")

    def skin(self, z: float) -> np.ndarray:
        """Return the radius of the skin's surface at `ANGLES`, mm; without breasts."""
        return gaussian_filter1d(self.muscles(z) + self.fat(z, ANGLES), 4, mode="wrap")

    def cavity(self, z: float, angle: np.ndarray) -> np.ndarray:
        """Return the radius of the cavity at `angle` (0 left, pi/2 back), mm."""
        width, depth = self.cavity_half(z)
        n = self.roundness
        radius = ((np.abs(np.cos(angle)) / width) ** n + (np.abs(np.sin(angle)) / depth) ** n) ** (-1 / n)
        orders = np.arange(2, 2 + len(self.waves))[:, None] * angle
        return radius * (1 + self.waves[:, 0] @ np.cos(orders) + self.waves[:, 1] @ np.sin(orders))

    def wall(self, z: float, angle: np.ndarray) -> np.ndarray:
        """Return the thickness of muscle and ribs around the cavity at `angle`, mm."""
        behind = np.abs(_wrap(angle - BACK))
        shoulder = 17 * _bell(behind, np.radians(58), np.radians(26)) * _rise(z, 205, 260)
        breast_muscle = 9 * _bell(behind, np.radians(140), np.radians(22)) * _rise(z, 220, 290)
        loin = 19 * _bell(behind, 0, np.radians(36))
        return self.muscle * (shoulder + breast_muscle) + 11.5 + loin

    def fat(self, z: float, angle: np.ndarray) -> np.ndarray:
        """Return the thickness of fat and skin over the muscles at `angle`, mm."""
        behind = np.abs(_wrap(angle - BACK))
        belly = self.belly_mm * _rise(z, 170, 60) * (0.35 + 0.65 * _bell(behind, np.pi, np.radians(70)))
        flank = 0.4 * self.belly_mm * _rise(z, 140, 20) * _bell(behind, np.radians(45), np.radians(25))
        groove = np.minimum(8.0, 0.5 * self.fat_mm + 3) * _bell(behind, 0, np.radians(9))
        around = self.fat_mm * (0.75 + 0.1 * np.cos(2 * angle))
        return THINNEST_FAT_MM + SKIN_MM + np.maximum(around + belly + flank - groove, 0)


def draw_frame(canvas: Canvas, body: Body, z: float) -> None:
    """Paint skin, fat and muscles, and fill the cavity with lung; what lies in it is painted over."""
    cavity, skin = body.cavity(z, ANGLES), body.skin(z)
    breasts = list_breasts(body, z)
    for outline in (polar(skin), *breasts):
        canvas.fill(outline, "skin")
    for outline in (polar(skin - SKIN_MM), *(_scale(breast, 1 - SKIN_MM / 40) for breast in breasts)):
        canvas.fill(outline, "fat")
    for breast in breasts:
        canvas.fill(_scale(breast, 0.6), "gland", over=("fat",))
    canvas.fill(polar(body.muscles(z)), "muscle")
    _draw_fat_planes(canvas, body, z)
    canvas.fill(polar(cavity), "diaphragm")
    canvas.fill(polar(cavity - PLEURA_MM), "lung")


def list_breasts(body: Body, z: float) -> list[np.ndarray]:
    """Return the outlines of the breasts at height `z`."""
    share = 1 - ((z - 232) / 48) ** 2
    if body.breast_mm == 0 or share <= 0:
        return []
    width, depth = body.cavity_half(z)
    size = np.sqrt(share)
    front = -(depth * 0.86 + 10)
    shapes = [(side * 0.56 * width, side * 0.35) for side in (-1, 1)]
    return [ellipse(x, front, 46 * size, body.breast_mm * size + 4, turn) for x, turn in shapes]


def polar(radii: np.ndarray) -> np.ndarray:
    """Return the outline with `radii` at `ANGLES`, shape (180, 2)."""
    return np.stack([radii * np.cos(ANGLES), radii * np.sin(ANGLES)], axis=1)


def band(
    body: Body, z: float, side: int, behind: np.ndarray, depth: np.ndarray, half: np.ndarray
) -> np.ndarray:
    """Return the outline of a strip that follows the cavity, such as a rib.

    Parameters
    ----------
    side : {-1, 1}
        The patient's right or left.
    behind : ndarray
        Angles from the back, in radians.
    depth : ndarray
        Distance of its middle line from the cavity, mm.
    half : ndarray
        Half its thickness, mm.
    """
    angle = BACK - side * behind
    middle = body.cavity(z, angle) + depth
    ray = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.concatenate([(middle + half)[:, None] * ray, ((middle - half)[:, None] * ray)[::-1]])


def _draw_fat_planes(canvas: Canvas, body: Body, z: float) -> None:
    """Paint the thin fat between the muscles: of the belly's wall, the back and the shoulder."""
    planes = [(14, 30, 24.0, 1.0), (30, 52, 9.0, 0.9)]
    if z < 130:
        planes += [(58, 128, 4.2, 0.6), (62, 124, 8.0, 0.6), (136, 140, 6.0, 5.0)]
    else:
        planes += [(34, 118, 10.2, 0.9)]
    if z > 225:
        planes += [(40, 80, 21.0, 0.9), (125, 160, 11.5, 0.8)]
    for first, last, depth, half in planes:
        behind = np.radians(np.linspace(first, last, 24))
        swell = half * np.sqrt(np.maximum(1 - np.linspace(-1, 1, 24) ** 2, 0))
        for side in (-1, 1):
            canvas.fill(band(body, z, side, behind, np.full(24, depth), swell), "fat", over=("muscle",))


def _scale(outline: np.ndarray, share: float) -> np.ndarray:
    middle = outline.mean(axis=0)
    return middle + share * (outline - middle)


def _bell(values: np.ndarray, middle: float, width: float) -> np.ndarray:
    return np.exp(-(((values - middle) / width) ** 2))


def _rise(value: float, low: float, high: float) -> float:
    share = float(np.clip((value - low) / (high - low), 0, 1))
    return share * share * (3 - 2 * share)


def _wrap(angle: np.ndarray) -> np.ndarray:
    return (angle + np.pi) % (2 * np.pi) - np.pi
