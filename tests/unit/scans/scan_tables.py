"""Trainings, predictions and scores that tests make up."""

from dataclasses import asdict

import numpy as np
import pandas as pd

from medscale.scans.mask_scores import COLUMNS as SCORE_COLUMNS
from medscale.scans.predictions import tabulate_predictions
from medscale.scans.trainings import AIDED, PLAIN, MaskTraining, Training
from medscale.seeds import generator

BREAST = ("normal", "benign", "malignant")
BRAIN = ("no", "yes")


def make_sheet(classes=BREAST, groups=12, images_a_group=2):
    """A sheet whose groups hold several images of one class; splits alternate between groups."""
    rows = []
    for label in classes:
        for number in range(groups):
            split = ("train", "train", "test", "validation")[number % 4]
            group = f"{label}{number}"
            rows += [(f"{group}_{copy}", group, split, label) for copy in range(images_a_group)]
    return pd.DataFrame(rows, columns=["image", "group", "split", "class"])


def predict(sheet, share_right, seed=0):
    """Predictions of which about a share are right on the test, and all on train."""
    classes = list(dict.fromkeys(sheet["class"]))
    rng = generator(seed, "test predictions", str(share_right))
    true = pd.Index(classes).get_indexer(sheet["class"])
    wrong = (rng.random(len(sheet)) >= share_right) & (sheet["split"] != "train").to_numpy()
    called = np.where(wrong, (true + 1) % len(classes), true)
    return tabulate_predictions(sheet, classes, np.eye(len(classes))[called])


def exact(sheet, called):
    """Predictions that are given as a list, one for each image."""
    classes = list(dict.fromkeys(sheet["class"]))
    return tabulate_predictions(sheet, classes, np.eye(len(classes))[pd.Index(classes).get_indexer(called)])


def training(name, **changes):
    """A training of a classifier."""
    facts = {
        "name": name,
        "network": name,
        "group": "architectures",
        "collection": "breast_ultrasound",
        "guarded": True,
        "size_px": 64,
        "share": 1.0,
        "seeds": 2,
        "settings": {},
    }
    return Training(**facts | changes)


def mask_training(loss, aid=PLAIN, **changes):
    """A training of a network that outlines tumours."""
    facts = {
        "name": f"unet_{loss}_{aid}",
        "network": "unet",
        "group": "segmentation",
        "collection": "breast_ultrasound",
        "size_px": 64,
        "seeds": 2,
        "loss": loss,
        "aid": aid,
        "settings": {},
    }
    return MaskTraining(**facts | changes)


def both_aids(loss):
    """The two trainings of a loss."""
    return [mask_training(loss, PLAIN), mask_training(loss, AIDED)]


def renamed(one, **changes):
    """The same training with other facts."""
    return type(one)(**asdict(one) | changes)


def outline(sheet, level=0.5, seed=0, missed=0.1):
    """Scores of outlines: some of the normal images and `missed` of the others are called normal."""
    rng = generator(seed, "test outlines", str(level))
    tumour = (sheet["class"] != "normal").to_numpy()
    called = np.where(tumour, rng.random(len(sheet)) < missed, rng.random(len(sheet)) < 0.8)
    iou = np.where(tumour, np.clip(rng.normal(level, 0.2, len(sheet)), 0, 1), rng.random(len(sheet)) < 0.3)
    table = sheet.assign(called_normal=called, iou=iou, dice=2 * iou / (1 + iou))
    for score in ("iou", "dice"):
        table[f"{score}_aided"] = np.where(called, ~tumour, table[score])
    table["iou_original"], table["iou_original_aided"] = 0.9 * table["iou"], 0.9 * table["iou_aided"]
    return table[SCORE_COLUMNS].reset_index(drop=True)


def empty_outline(sheet):
    """Scores of outlines that are always empty."""
    normal = (sheet["class"] == "normal").astype(float)
    scores = dict.fromkeys(SCORE_COLUMNS[5:], normal)
    return sheet.assign(called_normal=False, **scores)[SCORE_COLUMNS]
