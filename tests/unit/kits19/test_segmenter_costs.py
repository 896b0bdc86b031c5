import json

import numpy as np
import pandas as pd
import pytest
import torch

from medscale.kits19.comparison import TrainedNetwork
from medscale.kits19.segmenter_costs import COLUMNS, measure_segmenters, measure_training_step
from medscale.networks.parameter_count import count_parameters
from medscale.networks.registry import build_network

CPU = torch.device("cpu")


def card(name, slices=None, **network):
    """A model card of a narrow network for small images."""
    return {
        "network": {"name": name, **network},
        "inputs": {"size_px": 32, "slices": slices, "window_hu": [-512, 512], "interpolation": "area"},
        "training": {
            "batch_size": 4 if slices is None else 2,
            "epochs": 3,
            "class_weights": [0.3, 17.0, 70.0],
            "loss": {"name": "weighted_dice"},
            "optimisation": {"learning_rate": 1e-3},
            "precision": "float32",
        },
        "history": [],
    }


@pytest.fixture(autouse=True)
def one_thread():
    """Threads that wait for each other on a busy machine would take minutes."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def inference(seconds):
    return pd.DataFrame({"case": ["a", "b"], "slices": [30, 10], "seconds": seconds})


@pytest.mark.parametrize("described", [card("unet3d", 8, width=4), card("deeplabv3plus", width=8)])
def test_a_step_of_any_network_is_measured(described):
    cost = measure_training_step(described, CPU)
    assert cost.batch_size == described["training"]["batch_size"]
    assert cost.peak_bytes >= 0
    assert cost.seconds_per_image > 0


def test_a_batch_of_more_takes_more_memory():
    small, large = card("unet2d", width=8), card("unet2d", width=8)
    large["training"]["batch_size"] = 64
    assert measure_training_step(large, CPU).peak_bytes > 4 * measure_training_step(small, CPU).peak_bytes


def test_each_network_has_one_row_with_its_seeds_averaged(tmp_path):
    for seed, seconds in ((0, 10.0), (1, 20.0)):
        sidecar = tmp_path / f"unet2d_{seed}.safetensors.provenance.json"
        sidecar.write_text(json.dumps({"run": {"seconds": seconds}}))
    cards = [card("unet2d", width=4), card("unet2d", width=4), card("unet3d", 8, width=4)]
    weights = [tmp_path / f"{name}.safetensors" for name in ("unet2d_0", "unet2d_1", "unet3d_0")]
    inferences = [inference([2.0, 4.0]), inference([4.0, 6.0]), inference([1.0, 1.0])]
    table = measure_segmenters(["unet2d", "unet2d", "unet3d"], cards, weights, inferences, CPU)
    assert list(table.columns) == COLUMNS
    assert table["network"].tolist() == ["unet2d", "unet3d"]
    flat, deep = table.to_dict("records")
    assert flat["training_seconds"] == 15
    assert np.isnan(deep["training_seconds"])
    assert flat["inference_seconds_per_case"] == 4
    assert flat["inference_slices_per_second"] == pytest.approx(80 / 16)
    assert flat["parameters"] == count_parameters(build_network("unet2d", 0, width=4))
    assert (flat["batch_size"], deep["batch_size"], deep["epochs"]) == (4, 2, 3)


def test_a_training_is_described_by_its_card():
    described = TrainedNetwork.of({"network": "unet3d", "seed": 1}, card("unet3d", 8, width=4))
    assert (described.dimensions, described.seed) == (3, 1)
    assert described.parameters == count_parameters(build_network("unet3d", 0, width=4))
