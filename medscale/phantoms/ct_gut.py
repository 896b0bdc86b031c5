"""Stomach, small bowel, duodenum and colon of a demo patient, with gas in front of fluid."""

from dataclasses import dataclass
from itertools import product

import numpy as np

from medscale.phantoms.ct_body import Body
from medscale.phantoms.ct_canvas import Canvas
from medscale.phantoms.ct_sections import BELLY_MM, COLON, DUODENUM, ORGANS, parse_outlines, parse_points
from medscale.phantoms.ct_shapes import CIRCLE, Hose, Organ, ellipse, shrink, string_balls

GUT_WALL_MM, STOMACH_WALL_MM = 2.2, 4.0
LOOP_STEP_MM = 25
GAS_SHARE = 0.6
GUT = ("gut_wall", "gut_fluid", "gas", "stool", "oral_contrast")
ROOM = ("belly_fat", *GUT)


@dataclass(frozen=True)
class Loop:
    """One loop of small bowel: a wavy ellipsoid.

    Attributes
    ----------
    middle, axes : (x, y, z)
        Its middle and its semi-axes, mm.
    turn : float
        Angle of the first axis, radians.
    content : str
        Tissue that fills it; "gas" stands above fluid.
    """

    middle: tuple[float, float, float]
    axes: tuple[float, float, float]
    turn: float
    content: str

    def outline(self, z: float) -> np.ndarray | None:
        """Return the section at height `z`, shape (72, 2), or None."""
        rest = 1 - ((z - self.middle[2]) / self.axes[2]) ** 2
        if rest <= 0:
            return None
        waves = 0.13 * np.cos(3 * CIRCLE + self.turn + 0.1 * z) + 0.06 * np.cos(5 * CIRCLE - 2 * self.turn)
        share = np.sqrt(rest) * (1 + waves)
        outline = ellipse(0, 0, self.axes[0], self.axes[1], self.turn) * share[:, None]
        return outline + self.middle[:2]


@dataclass(frozen=True)
class Gut:
    """The gut of one patient.

    Attributes
    ----------
    stomach : Organ
    gas_share : float
        Share of the stomach's depth that holds gas.
    drink : str
        What fills the stomach: fluid or contrast medium.
    loops : tuple of Loop
    duodenum, colon : Hose
    colon_contents : tuple of str
        What the parts of the colon hold, in their order.
    """

    stomach: Organ
    gas_share: float
    drink: str
    loops: tuple[Loop, ...]
    duodenum: Hose
    colon: Hose
    colon_contents: tuple[str, ...]


def plan_gut(body: Body, rng: np.random.Generator) -> Gut:
    """Draw one patient's gut."""
    width, depth = body.cavity_half(60)
    scale = (width / BELLY_MM[0], depth / BELLY_MM[1])
    table, caps = ORGANS["stomach"]
    drink = "oral_contrast" if rng.random() < 0.3 else "gut_fluid"
    contents = rng.choice(["stool", "gas", "gut_fluid"], p=[0.45, 0.4, 0.15], size=12)
    return Gut(
        Organ(*parse_outlines(table), caps).varied(rng, 0.02, 4),
        float(rng.uniform(0.15, 0.75)),
        drink,
        _pack_loops(scale, drink, rng),
        string_balls(vary_line(parse_points(DUODENUM), scale, rng)),
        _plan_colon(scale, rng),
        tuple(contents.tolist()),
    )


def vary_line(line: np.ndarray, scale: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """Fit a line of x, y, z and radius to a patient wider and deeper by `scale`; move its points a little."""
    line = line * (*scale, 1, 1)
    line[:, :3] += rng.normal(0, 2.5, (len(line), 3))
    return line


def draw_bowel(canvas: Canvas, gut: Gut, z: float) -> None:
    """Paint small bowel, duodenum and colon."""
    for loop in gut.loops:
        outline = loop.outline(z)
        if outline is not None:
            canvas.fill(outline, "gut_wall", over=ROOM)
            _fill_lumen(canvas, shrink(outline, GUT_WALL_MM), loop.content, GAS_SHARE)
    for hose, contents in ((gut.duodenum, ("gut_fluid",)), (gut.colon, gut.colon_contents)):
        for outline in hose.outlines(z):
            canvas.fill(outline, "gut_wall", over=(*ROOM, "vein"))
        part = np.arange(len(hose.radii)) * len(contents) // len(hose.radii)
        for number, content in enumerate(contents):
            own = Hose(hose.centres[part == number], hose.radii[part == number])
            for outline in own.outlines(z, GUT_WALL_MM):
                canvas.fill(outline, content, over=GUT)


def draw_stomach(canvas: Canvas, gut: Gut, body: Body, z: float) -> None:
    """Paint the stomach, with gas in front of what was drunk."""
    outline = gut.stomach.outline(z)
    if outline is None:
        return
    outline = outline * body.cavity_half(z)
    canvas.fill(outline, "gut_wall", over=(*ROOM, "pancreas"))
    lumen = shrink(outline, STOMACH_WALL_MM)
    _fill_lumen(canvas, lumen, gut.drink, 0.0)
    _fill_gas(canvas, lumen, gut.gas_share, gut.drink)


def _fill_lumen(canvas: Canvas, lumen: np.ndarray | None, content: str, gas_share: float) -> None:
    """Fill a lumen; the patient lies on the back, so gas stands in front of fluid."""
    fluid = "gut_fluid" if content == "gas" else content
    canvas.fill(lumen, fluid, over=("gut_wall",))
    if content == "gas":
        _fill_gas(canvas, lumen, gas_share, fluid)


def _fill_gas(canvas: Canvas, lumen: np.ndarray | None, share: float, fluid: str) -> None:
    """Turn the front `share` of a lumen's depth from fluid to gas."""
    if lumen is None:
        return
    (left, front), (right, back) = lumen.min(axis=0), lumen.max(axis=0)
    level = front + share * (back - front)
    above = np.array([(left, front), (right, front), (right, level), (left, level)])
    canvas.fill(above, "gas", over=(fluid,))


def _plan_colon(scale: tuple[float, float], rng: np.random.Generator) -> Hose:
    """Lead the colon up on the right, across the front and down on the left, with folds along it."""
    line = parse_points(COLON)
    # Only the transverse colon hangs freely.
    line[4:7, 2] += rng.uniform(-14, 14)
    hose = string_balls(vary_line(line, scale, rng))
    folds = 1 + 0.12 * np.sin(np.arange(len(hose.radii)) * 2 * np.pi / rng.uniform(22, 30))
    return Hose(hose.centres, hose.radii * folds)


def _pack_loops(scale: tuple[float, float], drink: str, rng: np.random.Generator) -> tuple[Loop, ...]:
    """Pack loops of small bowel into the front of the belly, beside and in front of the great vessels."""
    loops = []
    ends = ((-40, 62), (-52, 14), (-66, 78))
    for z, y, x in product(*(np.arange(low, high, LOOP_STEP_MM) for low, high in ends)):
        if (abs(x) < 30 and y > -10) or rng.random() < 0.2:
            continue
        middle = np.array([x * scale[0], y * scale[1], z]) + rng.normal(0, (5, 4, 7))
        axes = rng.uniform((12, 9, 14), (21, 15, 24))
        content = str(rng.choice([drink, "gut_fluid", "gas"], p=[0.6, 0.25, 0.15]))
        loops.append(Loop(tuple(middle), tuple(axes), float(rng.uniform(0, np.pi)), content))
    return tuple(loops)
