"""Prepared images that tests draw in memory, with their sheet: discs on a dark, noisy ground."""

import numpy as np
import pandas as pd

from medscale.scans.prepared_images import PreparedImages
from medscale.scans.sheets import COLUMNS

SIZE = 32
RADII = {"normal": 0.0, "benign": 5.0, "malignant": 10.0}
# Of every 8 images of a class.
SPLITS = ["train"] * 4 + ["validation"] + ["test"] * 3


def draw_scans(
    count: int = 8, classes: tuple[str, ...] = tuple(RADII)
) -> tuple[PreparedImages, pd.DataFrame]:
    """Return `count` images of each class and their sheet; tumours are discs whose size tells the class."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:SIZE, :SIZE]
    pictures, masks, rows = [], [], []
    for label in classes:
        for number in range(count):
            row, column = rng.uniform(11, SIZE - 11, 2)
            mask = np.hypot(y - row, x - column) < RADII[label]
            pictures.append((40 + 150 * mask + rng.integers(0, 40, mask.shape)).astype(np.uint8))
            masks.append(mask.astype(np.uint8))
            name = f"{label}_{number}"
            split = SPLITS[number % len(SPLITS)]
            rows.append([name, f"{name}.png", "", label, name, split, "group"])
    sheet = pd.DataFrame(rows, columns=COLUMNS).set_index("image", drop=False)
    shapes = np.full((len(rows), 2), SIZE)
    return PreparedImages(tuple(sheet["image"]), np.stack(pictures), np.stack(masks), shapes), sheet
