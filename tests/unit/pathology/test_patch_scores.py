import numpy as np
import pandas as pd
import pytest
import torch

from medscale.networks.registry import build_network
from medscale.pathology.patch_auc import split_scores
from medscale.pathology.patch_classifier import draw_patches, score_patches
from medscale.pathology.patch_data import SlideFiles
from medscale.pathology.patch_scores import choose_colour_statistic, measure_colour, score_test_patches
from medscale.phantoms.slide_files import write_pyramid

PINK, BLUE = (230, 120, 180), (120, 60, 160)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slides")
    paths = {}
    for name in ("train", "test"):
        colour = np.full((512, 1024, 3), PINK, np.uint8)
        colour[:, 512:] = BLUE
        paths[name] = folder / f"{name}.tif"
        write_pyramid(colour, paths[name], 2.0, 95)
    return SlideFiles(paths)


def _grid(slide):
    x, y = np.meshgrid(np.arange(0, 1024, 64), np.arange(0, 512, 64))
    label = (x.ravel() >= 512).astype(np.int8)
    return pd.DataFrame(
        {"slide": slide, "x": x.ravel(), "y": y.ravel(), "size_px": 64, "mpp": 2.0, "label": label}
    )


def test_a_colour_that_tells_the_classes_apart_is_found_and_applied(files):
    network = build_network("resnet10", 0, width=4, outputs=1).eval()
    scores = score_test_patches(network, _grid("test"), _grid("train"), files, patches_per_slide=40, seed=0)
    assert scores["label"].value_counts().to_dict() == {0: 20, 1: 20}
    tumour, normal = (scores.loc[scores["label"] == label, "colour_score"] for label in (1, 0))
    assert tumour.min() > normal.max()
    assert scores["probability"].between(0, 1).all()


def test_the_sign_is_that_of_the_training_patches(files):
    statistic, sign = choose_colour_statistic(_grid("train"), files, seed=0)
    swapped = _grid("train").assign(label=lambda grid: 1 - grid["label"])
    assert choose_colour_statistic(swapped, files, seed=0) == (statistic, -sign)


def test_colour_statistics_of_plain_patches():
    patches = np.stack([np.full((8, 8, 3), PINK, np.uint8), np.full((8, 8, 3), BLUE, np.uint8)])
    colours = measure_colour(patches)
    assert list(colours["red"]) == [230, 120]
    assert colours["haematoxylin"][1] > colours["haematoxylin"][0]


def test_scores_do_not_depend_on_the_batch():
    network = build_network("resnet10", 0, width=4, outputs=1).eval()
    patches = np.random.default_rng(0).integers(0, 256, (300, 64, 64, 3), dtype=np.uint8)
    together = score_patches(network, patches, torch.device("cpu"))
    alone = np.concatenate(
        [score_patches(network, patches[i : i + 1], torch.device("cpu")) for i in (0, 255, 299)]
    )
    np.testing.assert_allclose(together[[0, 255, 299]], alone, atol=1e-5)


def test_drawn_patches_are_half_tumour_where_there_are_enough():
    grid = _grid("train")
    few = pd.concat([grid[grid["label"] == 0], grid[grid["label"] == 1].iloc[:3]])
    assert draw_patches(few, 20, seed=0)["label"].sum() == 3
    assert len(draw_patches(few, 20, seed=0)) == 13
    assert draw_patches(grid, 20, seed=1).equals(draw_patches(grid, 20, seed=1))
    assert not draw_patches(grid, 20, seed=1).equals(draw_patches(grid, 20, seed=2))


def test_scores_are_split_by_their_source():
    scores = pd.DataFrame({"slide": ["a"], "label": [1], "probability": [0.75], "colour_score": [3.0]})
    classes = pd.DataFrame({"slide": ["a", "b"], "patient": ["p", "q"]})
    network, colour = split_scores(scores, classes)
    assert network[["patient", "score"]].values.tolist() == [["p", 0.75]]
    assert colour["score"].tolist() == [3.0]
