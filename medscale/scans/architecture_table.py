"""Networks of all kinds on the same images, beside methods on hand-made features and the frequent class."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from medscale.networks.operation_count import count_operations
from medscale.networks.published_sizes import PUBLISHED_PARAMETERS
from medscale.networks.registry import build_network
from medscale.scans import accuracy
from medscale.scans.classification_table import Predictions
from medscale.scans.intervals import INTERVAL
from medscale.scans.trainings import Training

MAJORITY = "majority"
SIZES = ["parameters", "published_parameters", "operations"]
COLUMNS = ["network", "architecture", "size_px", "seeds", *SIZES, *accuracy.COLUMNS]
WHOLE = ["size_px", "seeds", *SIZES]
PAIR_COLUMNS = [
    "changed",
    "network",
    "without",
    "test_accuracy",
    "test_accuracy_without",
    *(f"difference{ending}" for ending in INTERVAL),
]
# Settings that take a part away from a network, which has it by default.
PARTS = ("shortcuts", "auxiliary")

# Model cards, as read from JSON, by the names of the trainings; other methods than networks have none.
Cards = Mapping[str, Mapping[str, Any]]


def tabulate_architectures(
    trainings: Sequence[Training],
    cards: Cards,
    predictions: Predictions,
    bootstrap_samples: int,
    seed: int,
) -> pd.DataFrame:
    """Return one row for each network or method on the images of one collection, and the floor below them.

    Parameters
    ----------
    trainings : sequence of Training
        On one sheet, with images of one size.
    cards : mapping
        Of one seed of each network.
    predictions : mapping of str to sequence of DataFrame
        As for `tabulate_classification`.
    bootstrap_samples : int
    seed : int
        The run's seed.

    Returns
    -------
    DataFrame
        `COLUMNS`. `parameters` and `operations` (multiply-accumulates of an image's way through the network)
        are of the network as it was trained, the former with auxiliary heads if it has any;
        `published_parameters` those of `PUBLISHED_PARAMETERS`. The last row, `majority`, always answers the
        most frequent class of train.

    Raises
    ------
    InputError
        As `summarise_accuracy`.
    """
    rows = []
    for training in trainings:
        runs = predictions[training.name]
        row = {"network": training.network, "size_px": training.size_px, "seeds": len(runs)}
        if training.name in cards:
            row |= measure_size(cards[training.name]["network"], training.size_px)
        rows.append(row | accuracy.summarise_accuracy(runs, bootstrap_samples, seed))
    if trainings:
        runs = predictions[trainings[0].name][:1]
        rows.append({"network": MAJORITY, **_floor(runs, bootstrap_samples, seed)})
    return pd.DataFrame(rows, columns=COLUMNS).astype(dict.fromkeys(WHOLE, "Int64"))


def compare_parts(
    trainings: Sequence[Training],
    cards: Cards,
    predictions: Predictions,
    bootstrap_samples: int,
    seed: int,
) -> pd.DataFrame:
    """Return what shortcuts and auxiliary heads bring: pairs of networks that differ in one of them alone.

    Parameters
    ----------
    trainings, cards, predictions, bootstrap_samples, seed
        As for `tabulate_architectures`.

    Returns
    -------
    DataFrame
        `PAIR_COLUMNS`: which part, the network with it and the one without, both accuracies, and by how much
        the first is higher, with the interval of `compare_accuracy`.
    """
    rows = []
    for changed, whole, bare in _find_pairs(trainings, cards):
        runs, others = predictions[whole.name], predictions[bare.name]
        means = [_mean_accuracy(tables) for tables in (runs, others)]
        row = dict(zip(PAIR_COLUMNS, (changed, whole.network, bare.network, *means), strict=False))
        rows.append(row | accuracy.compare_accuracy(runs, others, bootstrap_samples, seed))
    return pd.DataFrame(rows, columns=PAIR_COLUMNS)


def measure_size(network: Mapping[str, Any], size_px: int) -> dict[str, object]:
    """Return `architecture` (its name in the registry) and `SIZES` of a network for images of this size.

    Parameters
    ----------
    network : mapping
        `name` and settings, as in a model card.
    """
    # Shapes are enough, and VGG's weights would take half a gigabyte.
    with torch.device("meta"):
        built = build_network(seed=0, **network)
    size = (network.get("channels_in", 1), size_px, size_px)
    return {
        "architecture": network["name"],
        "parameters": sum(weight.numel() for weight in built.parameters()),
        "published_parameters": PUBLISHED_PARAMETERS.get(network["name"]),
        "operations": count_operations(built, size),
    }


def _floor(runs: Sequence[pd.DataFrame], samples: int, seed: int) -> dict[str, float]:
    """Return the columns of a predictor that always gives the frequent answer."""
    scores = accuracy.summarise_accuracy(runs, samples, seed)
    floors = {name: scores[name] for name in scores if name.startswith("floor_")}
    tests = {name.replace("floor_", "test_"): value for name, value in floors.items()}
    return floors | tests


def _find_pairs(trainings: Sequence[Training], cards: Cards) -> list[tuple[str, Training, Training]]:
    pairs = []
    networks = {name: dict(card["network"]) for name, card in cards.items()}
    own = [training for training in trainings if training.name in networks]
    for part in PARTS:
        for bare in own:
            described = networks[bare.name]
            if described.get(part, True):
                continue
            wanted = {key: value for key, value in described.items() if key != part}
            whole = [
                one
                for one in own
                if networks[one.name].get(part, True)
                and {key: value for key, value in networks[one.name].items() if key != part} == wanted
            ]
            pairs += [(part, one, bare) for one in whole]
    return pairs


def _mean_accuracy(runs: Sequence[pd.DataFrame]) -> float:
    tests = [table[table["split"] == accuracy.TEST] for table in runs]
    return float(np.mean([(table["class"] == table["predicted"]).mean() for table in tests]))
