"""What the demo patients are made of: Hounsfield units and texture of each tissue."""

from dataclasses import dataclass

import numpy as np

PHASES = ("native", "arterial", "portal")


@dataclass(frozen=True)
class Tissue:
    """How one tissue looks in CT.

    Attributes
    ----------
    hu : float or tuple of float
        Hounsfield units; a tuple gives them without contrast medium, in the arterial and in the portal
        venous phase.
    mottle, grain : float
        Standard deviations in HU of its coarse (7 mm) and fine (2 mm) texture.
    settle : float
        HU gained per mm towards the back, where gravity draws blood.
    """

    hu: float | tuple[float, float, float]
    mottle: float = 0.0
    grain: float = 0.0
    settle: float = 0.0


TISSUES = {
    "air": Tissue(-1000),
    "table_shell": Tissue(30),
    "table_foam": Tissue(-930),
    "skin": Tissue(25, 10),
    "fat": Tissue(-104, 5, 8),
    "muscle": Tissue((52, 56, 62), 5, 11),
    "inner_fat": Tissue(-98, 9, 10),
    "belly_fat": Tissue(-102, 9, 10),
    "diaphragm": Tissue((50, 55, 60), 4, 8),
    "gland": Tissue(25, 35, 20),
    "cortex": Tissue(980, 70, 60),
    "endplate": Tissue(560, 60, 60),
    "marrow": Tissue(210, 40, 60),
    "disc": Tissue(95, 8, 5),
    "cartilage": Tissue(110, 45, 10),
    "canal": Tissue(12, 0, 3),
    "cord": Tissue(38, 0, 3),
    "lung": Tissue(-868, 14, 16, 0.5),
    "lung_vessel": Tissue((38, 190, 110), 8),
    "bronchus": Tissue(-60),
    "airway": Tissue(-995),
    "artery": Tissue((44, 310, 165), 4, 3),
    "vein": Tissue((42, 80, 160), 6, 3),
    "chamber": Tissue((42, 260, 155), 10, 4),
    "myocardium": Tissue((48, 95, 105), 6, 6),
    "calcification": Tissue(820, 60),
    "oesophagus": Tissue((35, 45, 55), 6, 5),
    "liver": Tissue((58, 68, 112), 4, 7),
    "liver_vessel": Tissue((40, 95, 165), 4, 3),
    "liver_lesion": Tissue((32, 45, 52), 8, 6),
    "spleen": Tissue((48, 118, 116), 4, 5),
    "kidney_cortex": Tissue((34, 190, 185), 5, 6),
    "kidney_medulla": Tissue((30, 85, 165), 6, 6),
    "adrenal": Tissue((28, 60, 70), 3, 4),
    "pancreas": Tissue((38, 85, 92), 18, 14),
    "bile": Tissue(8, 1, 2),
    "cyst": Tissue(4, 1, 2),
    "gut_wall": Tissue((38, 62, 85), 5, 6),
    "gut_fluid": Tissue(18, 8, 6),
    "oral_contrast": Tissue(260, 25, 10),
    "stool": Tissue(-15, 130, 110),
    "gas": Tissue(-985),
    "nodule": Tissue((32, 55, 70), 8, 8),
    "sclerosis": Tissue(720, 50, 40),
    # Of patients with a tumour of the kidney alone; codes of the others stay what they are.
    "kidney_tumour": Tissue((36, 105, 88), 14, 10),
    "necrosis": Tissue((18, 24, 26), 8, 6),
    "kidney_cyst": Tissue(6, 1, 2),
}
KIDNEY_CASE_TISSUES = ("kidney_tumour", "necrosis", "kidney_cyst")
NAMES = tuple(TISSUES)
CODES = {name: code for code, name in enumerate(NAMES)}


def tabulate_hu(phase: str, rng: np.random.Generator) -> np.ndarray:
    """Return the HU of each tissue in one patient, float32, in the order of `NAMES`.

    Parameters
    ----------
    phase : str
        One of `PHASES`: how contrast medium has spread.
    rng : numpy.random.Generator
        Draws how much contrast there is, how the patient's liver and lungs differ from others'.
    """
    place = PHASES.index(phase)
    strength = rng.uniform(0.75, 1.15)
    table = []
    for tissue in TISSUES.values():
        phases = tissue.hu if isinstance(tissue.hu, tuple) else (tissue.hu,) * len(PHASES)
        table.append(phases[0] + strength * (phases[place] - phases[0]))
    values = np.array(table, np.float32)
    values[CODES["liver"]] += min(rng.normal(0, 6), 8)
    values[CODES["lung"]] += rng.normal(0, 18)
    for bone in ("cortex", "endplate", "marrow"):
        values[CODES[bone]] *= rng.uniform(0.75, 1.25)
    return values


def tabulate_texture() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mottle, grain and settling of each tissue, float32, in the order of `NAMES`."""
    rows = [(tissue.mottle, tissue.grain, tissue.settle) for tissue in TISSUES.values()]
    mottle, grain, settle = np.array(rows, np.float32).T
    return mottle, grain, settle
