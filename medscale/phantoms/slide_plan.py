"""What a demo slide holds, in µm and before any pixel: nodes, lesions and artefacts."""

from dataclasses import dataclass, replace

import numpy as np

from medscale.errors import InputError
from medscale.phantoms.slide_geometry import depth_inside, draw_outline, keeps_clear, measure_feret, rotate
from medscale.seeds import generator

SLIDE_UM_PX = 2.0
CENTRES = ("0", "1", "2", "3", "4")
LARGEST_UM = {"itc": (125.0, 192.0), "micro": (350.0, 1800.0), "macro": (2250.0, 3600.0)}
SMALLEST_UM = 80.0
MARGIN_UM = 350.0
CAPSULE_UM = 50.0
GAP_UM = 200.0
# At each level of the pyramid the image then ends with a whole JPEG block, so no padding bleeds into it.
SIZE_STEP_PX = 128


@dataclass(frozen=True)
class Lesion:
    """One metastasis.

    Attributes
    ----------
    outline_um : ndarray, shape (n, 2)
        x and y of its corners in µm from the slide's upper left corner.
    hole_um : ndarray, shape (m, 2), or None
        Normal tissue inside it, which is no part of the metastasis.
    """

    outline_um: np.ndarray
    hole_um: np.ndarray | None = None


@dataclass(frozen=True)
class Pen:
    """One stroke of a felt pen: its line in µm, shape (n, 2), its width in µm and its ink."""

    line_um: np.ndarray
    width_um: float
    ink: str


@dataclass(frozen=True)
class SlidePlan:
    """The geometry of one slide.

    Attributes
    ----------
    slide, centre, label : str
        As in the row of the slide sheet.
    seed : int
        Seed of the run.
    shape_px : (rows, columns)
        Size of level 0, at `SLIDE_UM_PX` µm per pixel.
    nodes : tuple of ndarray, shape (n, 2)
        Outlines of the lymph nodes in µm.
    lesions : tuple of Lesion
        The largest first.
    folds : tuple of ndarray, shape (n, 2)
        Lines in µm along which the tissue lies double.
    faint_um : ndarray, shape (k, 3)
        x, y and radius in µm of pale areas.
    pens : tuple of Pen
    """

    slide: str
    centre: str
    label: str
    seed: int
    shape_px: tuple[int, int]
    nodes: tuple[np.ndarray, ...]
    lesions: tuple[Lesion, ...]
    folds: tuple[np.ndarray, ...]
    faint_um: np.ndarray
    pens: tuple[Pen, ...]


def plan_slide(slide: str, centre: str, label: str, seed: int) -> SlidePlan:
    """Decide what the demo slide `slide` holds, from its row of the sheet and the seed alone.

    The longest diameter of the largest lesion gives the class (CAMELYON17 evaluation page): `itc` at
    most 0.2 mm, `micro` above 0.2 and at most 2 mm, `macro` above 2 mm.

    Raises
    ------
    InputError
        If the centre or the label is unknown.
    """
    _check(slide, "centre", centre, CENTRES)
    _check(slide, "label", label, ("negative", *LARGEST_UM))
    rng = generator(seed, "demo slide", slide, centre, label, "plan")
    sizes = _draw_sizes(rng, label)
    first, largest = _draw_node_around(rng, sizes[0] if sizes else None)
    nodes = [first, *_draw_second_node(rng, first, label)]
    lesions = _add_lesions(rng, nodes, largest, sizes[1:])
    corner = np.concatenate(nodes).min(axis=0) - MARGIN_UM
    nodes = [node - corner for node in nodes]
    lesions = [Lesion(lesion - corner, _draw_hole(rng, lesion - corner)) for lesion in lesions]
    extent_um = np.concatenate(nodes).max(axis=0) + MARGIN_UM
    columns, rows = (int(np.ceil(e / SLIDE_UM_PX / SIZE_STEP_PX)) * SIZE_STEP_PX for e in extent_um)
    plan = SlidePlan(
        slide, centre, label, seed, (rows, columns), tuple(nodes), tuple(lesions), (), np.empty((0, 3)), ()
    )
    return _add_artefacts(rng, plan)


def _check(slide: str, column: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        mend = "Correct its row in the sheet of demo slides."
        raise InputError(slide, f"{column} {value!r}", f"one of {', '.join(known)}", mend)


def _draw_sizes(rng: np.random.Generator, label: str) -> list[float]:
    if label == "negative":
        return []
    low, high = LARGEST_UM[label]
    largest = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    fewest, most, share = (1, 4, (0.65, 1)) if label == "itc" else (0, 3, (0.1, 0.6))
    smaller = largest * rng.uniform(*share, int(rng.integers(fewest, most + 1)))
    return [largest, *np.maximum(smaller, SMALLEST_UM).tolist()]


def _draw_node_around(
    rng: np.random.Generator, largest_um: float | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Draw a node and, inside it, its largest lesion; a lesion that does not fit is drawn narrower."""
    large = largest_um is not None and largest_um > 1200
    length = max(rng.uniform(2800, 4300), 1.35 * largest_um if large else 0)
    node = draw_outline(rng, length, rng.uniform(0.6, 0.8), 0.12)
    turn = rng.uniform(-0.35, 0.35)
    lesion = None
    if largest_um is not None:
        lesion = _place_lesion(rng, node, largest_um, [], along=large)
        if lesion is None:
            raise RuntimeError(f"no room for a lesion of {largest_um} um in a node of {length} um")
        lesion = rotate(lesion, turn)
    return rotate(node, turn), lesion


def _place_lesion(
    rng: np.random.Generator,
    node: np.ndarray,
    length_um: float,
    others: list[np.ndarray],
    along: bool = False,
) -> np.ndarray | None:
    """Draw a lesion inside `node`; small ones mostly lie in the sinus below the capsule, as in patients."""
    reach = (node.max(axis=0) - node.min(axis=0)) / 2
    middle = (node.max(axis=0) + node.min(axis=0)) / 2
    below_capsule = not along and rng.random() < 0.6
    for trial in range(400):
        play = max(1 - trial / 100, 0)
        aspect = rng.uniform(0.5, 0.85) * (1 - trial / 500)
        lesion = draw_outline(rng, length_um, aspect, 0.2 * (play if along else 1))
        angle = rng.uniform(-0.2, 0.2) if along else rng.uniform(0, np.pi)
        place = middle + reach * rng.uniform(-1, 1, 2) * (play if along else 1)
        lesion = rotate(lesion, angle) + place
        if depth_inside(lesion[::12], node) < CAPSULE_UM or not keeps_clear(lesion, others, GAP_UM):
            continue
        depth = depth_inside(lesion, node)
        deepest = 250 if below_capsule and trial < 300 else np.inf
        if CAPSULE_UM + 10 < depth < deepest:
            return lesion
    return None


def _draw_second_node(rng: np.random.Generator, first: np.ndarray, label: str) -> list[np.ndarray]:
    if label == "macro" or rng.random() > 0.35:
        return []
    node = draw_outline(rng, rng.uniform(1500, 2600), rng.uniform(0.6, 0.85), 0.12)
    below = first[:, 1].max() - node[:, 1].min() + rng.uniform(300, 500)
    return [node + np.array([rng.uniform(-600, 600), below])]


def _add_lesions(
    rng: np.random.Generator, nodes: list[np.ndarray], largest: np.ndarray | None, sizes: list[float]
) -> list[np.ndarray]:
    lesions = [] if largest is None else [largest]
    for size in sizes:
        lesion = _place_lesion(rng, nodes[int(rng.integers(len(nodes)))], size, lesions)
        if lesion is not None:
            lesions.append(lesion)
    return lesions


def _draw_hole(rng: np.random.Generator, lesion: np.ndarray) -> np.ndarray | None:
    length_um = measure_feret(lesion)
    if length_um < 1000 or rng.random() < 0.4:
        return None
    hole = draw_outline(rng, rng.uniform(0.15, 0.25) * length_um, rng.uniform(0.6, 0.9), 0.1)
    hole = hole + lesion.mean(axis=0) + rng.uniform(-0.1, 0.1, 2) * length_um
    return hole if depth_inside(hole, lesion) > 80 else None


def _add_artefacts(rng: np.random.Generator, plan: SlidePlan) -> SlidePlan:
    folds = [_draw_fold(rng, plan.nodes[0]) for _ in range(int(rng.random() < 0.3))]
    faint = [_draw_faint(rng, plan.nodes[0]) for _ in range(int(rng.random() < 0.35))]
    pens = [_draw_pen(rng, plan) for _ in range(int(rng.integers(1, 3)) if rng.random() < 0.25 else 0)]
    return replace(
        plan, folds=tuple(folds), faint_um=np.array(faint, dtype=float).reshape(-1, 3), pens=tuple(pens)
    )


def _draw_fold(rng: np.random.Generator, node: np.ndarray) -> np.ndarray:
    """Draw a bent line that crosses part of the node."""
    start = node[int(rng.integers(len(node)))]
    end = node.mean(axis=0) + rng.uniform(-300, 300, 2)
    bend = (start + end) / 2 + rng.uniform(-200, 200, 2)
    t = np.linspace(0, 1, 24)[:, None]
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end


def _draw_faint(rng: np.random.Generator, node: np.ndarray) -> np.ndarray:
    place = node[int(rng.integers(len(node)))] * 0.6 + node.mean(axis=0) * 0.4
    return np.array([*place, rng.uniform(300, 700)])


def _draw_pen(rng: np.random.Generator, plan: SlidePlan) -> Pen:
    """Draw a stroke in the slide's margin that strays onto the edge of a node."""
    node = plan.nodes[0]
    middle = node.mean(axis=0)
    first, count = int(rng.integers(len(node))), int(rng.integers(6, 16))
    edge = node[np.arange(first, first + count) % len(node)]
    away = rng.uniform(1.0, 1.1) + rng.uniform(-0.02, 0.02, (count, 1))
    return Pen(
        middle + (edge - middle) * away, rng.uniform(60, 140), str(rng.choice(["blue", "green", "black"]))
    )
