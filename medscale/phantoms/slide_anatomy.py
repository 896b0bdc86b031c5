"""Where a demo slide is cortex, follicle, sinus, fibre, fat or tumour: maps on a grid of 8 µm."""

from dataclasses import dataclass, fields

import cv2
import numpy as np

from medscale.phantoms.slide_geometry import draw_outline, rotate
from medscale.phantoms.slide_plan import CAPSULE_UM, SLIDE_UM_PX, SlidePlan

ZOOM = 4
MAP_UM_PX = ZOOM * SLIDE_UM_PX
SINUS_UM = 45.0


@dataclass
class Anatomy:
    """Maps of shape (rows, columns), float32, `MAP_UM_PX` µm per pixel.

    Attributes
    ----------
    lymphocyte, centroblast, histiocyte, fibrocyte, tumour : ndarray
        Probability that a site of that kind of cell holds a nucleus.
    haematoxylin, eosin : ndarray
        Diffuse stain between the nuclei.
    fibre : ndarray
        How streaky the eosin is, 0 to 1.
    clear : ndarray
        1 where there is no tissue: background, fat, lumen.
    thickness : ndarray
        Optical density relative to one intact section.
    tumour_stain : ndarray
        Haematoxylin of tumour nuclei relative to the usual.
    """

    lymphocyte: np.ndarray
    centroblast: np.ndarray
    histiocyte: np.ndarray
    fibrocyte: np.ndarray
    tumour: np.ndarray
    haematoxylin: np.ndarray
    eosin: np.ndarray
    fibre: np.ndarray
    clear: np.ndarray
    thickness: np.ndarray
    tumour_stain: np.ndarray

    def lay(self, where: np.ndarray, **values: float | np.ndarray) -> None:
        """Replace the maps named in `values`, with the weight `where` in [0, 1]; absent cells become 0."""
        cells = {name: 0.0 for name in ("lymphocyte", "centroblast", "histiocyte", "fibrocyte", "tumour")}
        rest = {"fibre": 0.0, "clear": 0.0}
        for name, value in {**cells, **rest, **values}.items():
            layer = getattr(self, name)
            layer += where * (np.asarray(value, np.float32) - layer)


def build_anatomy(plan: SlidePlan, rng: np.random.Generator) -> Anatomy:
    """Lay the tissues of `plan` over each other, the tumour last."""
    shape = (plan.shape_px[0] // ZOOM, plan.shape_px[1] // ZOOM)
    anatomy = Anatomy(**{field.name: np.zeros(shape, np.float32) for field in fields(Anatomy)})
    anatomy.clear += 1
    anatomy.thickness += 1
    anatomy.tumour_stain += 1
    _lay_fat(anatomy, plan, rng)
    node = fill(plan.nodes, shape)
    depth_um = cv2.distanceTransform((node > 0.5).astype(np.uint8), cv2.DIST_L2, 5) * np.float32(MAP_UM_PX)
    _lay_parenchyma(anatomy, node, depth_um, rng)
    _lay_follicles(anatomy, depth_um, rng)
    _lay_trabeculae(anatomy, node, rng)
    _lay_clusters(anatomy, depth_um, rng)
    _lay_capsule(anatomy, node, depth_um, rng)
    _lay_tumour(anatomy, plan, rng)
    _lay_vessels(anatomy, plan, depth_um, rng)
    _bend_thickness(anatomy, plan, rng)
    return anatomy


def fill(outlines: tuple[np.ndarray, ...] | list[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """Fill outlines given in µm; returns the share of each pixel inside, float32, on the grid of the maps."""
    mask = np.zeros(shape, np.uint8)
    for outline in outlines:
        corners = np.rint((outline / MAP_UM_PX - 0.5) * 16).astype(np.int32)
        cv2.fillPoly(mask, [corners], 255, lineType=cv2.LINE_AA, shift=4)
    return mask / np.float32(255)


def draw_noise(rng: np.random.Generator, shape: tuple[int, int], scale_um: float) -> np.ndarray:
    """Draw smooth noise, float32, about standard normal, with hills about `scale_um` apart."""
    step = max(scale_um / 2 / MAP_UM_PX, 1)
    coarse = (int(np.ceil(shape[0] / step)) + 3, int(np.ceil(shape[1] / step)) + 3)
    hills = rng.standard_normal(coarse, dtype=np.float32)
    size = (int(np.ceil(coarse[1] * step)), int(np.ceil(coarse[0] * step)))
    return cv2.resize(hills, size, interpolation=cv2.INTER_CUBIC)[: shape[0], : shape[1]]


def ramp(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Rise from 0 at `low` to 1 at `high`; falls if `low` is larger."""
    return np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1)


def _lay_fat(anatomy: Anatomy, plan: SlidePlan, rng: np.random.Generator) -> None:
    """Surround the nodes by patches of fat: vacuoles of about 70 µm between thin walls."""
    shape = anatomy.clear.shape
    grown = [node.mean(axis=0) + 1.13 * (node - node.mean(axis=0)) for node in plan.nodes]
    patchy = draw_noise(rng, shape, 1500) > rng.uniform(-0.3, 0.6)
    fat = fill(grown, shape) * patchy
    step = int(70 / MAP_UM_PX)
    seeds = np.ones(shape, np.uint8)
    rows, columns = np.mgrid[0 : shape[0] : step, 0 : shape[1] : step]
    rows = np.clip(rows + rng.integers(-3, 4, rows.shape), 0, shape[0] - 1)
    columns = np.clip(columns + rng.integers(-3, 4, rows.shape), 0, shape[1] - 1)
    seeds[rows, columns] = 0
    labels = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)[1]
    wall = np.zeros(shape, np.float32)
    wall[:-1, :-1] = (labels[:-1, :-1] != labels[1:, :-1]) | (labels[:-1, :-1] != labels[:-1, 1:])
    wall = np.minimum(1.4 * _soften(wall), 1)
    anatomy.lay(fat, clear=1 - 0.8 * wall, eosin=0.4, fibrocyte=0.15 * wall)


def _lay_parenchyma(
    anatomy: Anatomy, node: np.ndarray, depth_um: np.ndarray, rng: np.random.Generator
) -> None:
    """Fill the nodes with cortex outside and with cords and sinuses inside."""
    shape = node.shape
    density = np.clip(
        rng.uniform(0.66, 0.8)
        + 0.16 * draw_noise(rng, shape, 500)
        + 0.08 * draw_noise(rng, shape, 120)
        + 0.05 * draw_noise(rng, shape, 40),
        0.2,
        1,
    )
    eosin = np.clip(rng.uniform(0.2, 0.3) + 0.1 * draw_noise(rng, shape, 350), 0.05, 0.7)
    anatomy.lay(node, lymphocyte=density, centroblast=0.08, haematoxylin=0.07, eosin=eosin)
    depth = depth_um + 150 * draw_noise(rng, shape, 600)
    medulla = ramp(depth, rng.uniform(500, 700), 900) * node
    channel = ramp(np.abs(draw_noise(rng, shape, 260) + 0.4 * draw_noise(rng, shape, 90)), 0.55, 0.3)
    sinus = np.maximum(medulla * channel, ramp(depth_um, CAPSULE_UM + SINUS_UM + 15, CAPSULE_UM + SINUS_UM))
    pale = np.clip(0.35 + 0.12 * draw_noise(rng, shape, 200), 0.1, 0.7)
    full = np.clip(0.5 + 0.3 * draw_noise(rng, shape, 300), 0.1, 1)
    anatomy.lay(
        sinus * node, lymphocyte=0.14, histiocyte=full, haematoxylin=0.05, eosin=pale, clear=0.3 * (1 - full)
    )


def _lay_follicles(anatomy: Anatomy, depth_um: np.ndarray, rng: np.random.Generator) -> None:
    """Put follicles into the cortex: a dense mantle around a paler germinal centre."""
    shape = depth_um.shape
    wanted = int(depth_um.size * (depth_um > 0).mean() * MAP_UM_PX**2 / 1e6 * rng.uniform(0.5, 1.6))
    for row, column in _draw_sites(rng, (depth_um > 250) & (depth_um < 750), wanted):
        place = np.array([column, row]) * MAP_UM_PX
        turned = rotate(
            draw_outline(rng, rng.uniform(280, 620), rng.uniform(0.65, 0.95), 0.08), rng.uniform(0, np.pi)
        )
        mantle = _soften(fill([place + turned], shape))
        middle = _soften(fill([place + rng.uniform(0.6, 0.75) * turned], shape))
        anatomy.lay(mantle, lymphocyte=0.97, eosin=0.22)
        anatomy.lay(
            middle,
            centroblast=rng.uniform(0.65, 1.0),
            lymphocyte=rng.uniform(0, 0.12),
            haematoxylin=rng.uniform(0.08, 0.2),
            eosin=rng.uniform(0.25, 0.5),
        )


def _lay_trabeculae(anatomy: Anatomy, node: np.ndarray, rng: np.random.Generator) -> None:
    """Lay strands of pink fibres between the lobules."""
    ridge = np.abs(draw_noise(rng, node.shape, 1400) + 0.1 * draw_noise(rng, node.shape, 150))
    strand = ramp(ridge, 0.09, 0.05) * (draw_noise(rng, node.shape, 900) > 0.2) * node
    anatomy.lay(strand, fibrocyte=0.8, lymphocyte=0.05, haematoxylin=0.05, eosin=0.85, fibre=1.0)


def _lay_clusters(anatomy: Anatomy, depth_um: np.ndarray, rng: np.random.Generator) -> None:
    """Scatter hard normal tissue: clusters of histiocytes or centroblasts as large as an ITC."""
    shape = depth_um.shape
    for row, column in _draw_sites(rng, depth_um > CAPSULE_UM + 60, int(rng.integers(5, 14))):
        shape_um = draw_outline(rng, rng.uniform(90, 260), rng.uniform(0.5, 0.9), 0.2)
        outline = rotate(shape_um, rng.uniform(0, np.pi)) + np.array([column, row]) * MAP_UM_PX
        kind = "histiocyte" if rng.random() < 0.6 else "centroblast"
        cells = {kind: rng.uniform(0.85, 1.0)}
        anatomy.lay(
            _soften(fill([outline], shape)),
            haematoxylin=rng.uniform(0.05, 0.25),
            eosin=rng.uniform(0.3, 0.7),
            lymphocyte=0.05,
            **cells,
        )


def _lay_capsule(anatomy: Anatomy, node: np.ndarray, depth_um: np.ndarray, rng: np.random.Generator) -> None:
    rim = ramp(depth_um + 8 * draw_noise(rng, node.shape, 300), CAPSULE_UM, CAPSULE_UM - 15) * node
    anatomy.lay(rim, fibrocyte=0.7, haematoxylin=0.04, eosin=0.8, fibre=1.0)


def _lay_tumour(anatomy: Anatomy, plan: SlidePlan, rng: np.random.Generator) -> None:
    """Fill each lesion with nests of tumour cells between septa; stain and density differ by lesion."""
    shape = anatomy.clear.shape
    haematoxylin, eosin = rng.uniform(0.02, 0.3), rng.uniform(0.25, 0.6)
    nests = draw_noise(rng, shape, 240)
    patchy = draw_noise(rng, shape, 200)
    for lesion in plan.lesions:
        where = fill([lesion.outline_um], shape)
        if lesion.hole_um is not None:
            where *= 1 - fill([lesion.hole_um], shape)
        large = np.ptp(lesion.outline_um, axis=0).max() > 350
        density = rng.uniform(0.85, 1.0)
        anatomy.lay(
            where,
            tumour=np.clip(density + 0.08 * patchy, 0.6, 1),
            lymphocyte=rng.uniform(0.02, 0.12),
            haematoxylin=np.clip(haematoxylin + 0.04 * patchy, 0, 1),
            eosin=np.clip(eosin + 0.08 * patchy, 0.1, 1),
            tumour_stain=rng.uniform(0.85, 1.15),
        )
        if large:
            septum = ramp(np.abs(nests), 0.12, 0.06) * where
            anatomy.lay(septum, fibrocyte=0.6, lymphocyte=0.3, haematoxylin=0.04, eosin=0.7, fibre=1.0)


def _lay_vessels(anatomy: Anatomy, plan: SlidePlan, depth_um: np.ndarray, rng: np.random.Generator) -> None:
    """Put small vessels into normal tissue: a pink wall around blood or an empty lumen."""
    shape = depth_um.shape
    tumour = fill([lesion.outline_um for lesion in plan.lesions], shape)
    for row, column in _draw_sites(rng, (depth_um > 120) & (tumour == 0), int(rng.integers(6, 15))):
        place = np.array([column, row]) * MAP_UM_PX
        ring = rotate(
            draw_outline(rng, rng.uniform(50, 160), rng.uniform(0.4, 0.9), 0.1), rng.uniform(0, np.pi)
        )
        normal = 1 - tumour
        anatomy.lay(
            _soften(fill([place + ring], shape)) * normal,
            fibrocyte=0.6,
            haematoxylin=0.04,
            eosin=0.75,
            fibre=0.5,
        )
        blood = float(rng.random() < 0.5)
        anatomy.lay(
            _soften(fill([place + 0.6 * ring], shape)) * normal, eosin=1.1, haematoxylin=0.0, clear=1 - blood
        )


def _bend_thickness(anatomy: Anatomy, plan: SlidePlan, rng: np.random.Generator) -> None:
    """Double the section along folds, thin it in faint areas and vary it gently everywhere."""
    shape = anatomy.clear.shape
    anatomy.thickness += 0.06 * draw_noise(rng, shape, 2500)
    for x, y, radius in plan.faint_um / MAP_UM_PX:
        rows, columns = np.ogrid[: shape[0], : shape[1]]
        distance = np.hypot(rows - np.float32(y), columns - np.float32(x)) / np.float32(radius)
        distance = distance + 0.15 * draw_noise(rng, shape, 300)
        anatomy.thickness *= 1 - 0.4 * ramp(distance, 1.0, 0.7)
    for line in plan.folds:
        fold = np.zeros(shape, np.uint8)
        points = np.rint(line / MAP_UM_PX * 16).astype(np.int32)
        cv2.polylines(fold, [points], False, 1, thickness=int(rng.uniform(5, 10)), shift=4)
        anatomy.thickness *= 1 + np.float32(0.9) * cv2.GaussianBlur(fold.astype(np.float32), (3, 3), 0.8)


def _draw_sites(rng: np.random.Generator, allowed: np.ndarray, count: int) -> np.ndarray:
    """Draw `count` rows and columns where `allowed`, or none where nothing is."""
    rows, columns = np.nonzero(allowed)
    if len(rows) == 0:
        return np.empty((0, 2), int)
    chosen = rng.integers(0, len(rows), count)
    return np.stack([rows[chosen], columns[chosen]], axis=1)


def _soften(mask: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(mask, (5, 5), 1.0)
