import numpy as np
import pytest

from medscale.files.tables import read_table, write_table
from medscale.networks.operation_count import count_operations
from medscale.networks.registry import build_network
from medscale.scans.accuracy import compare_accuracy, summarise_accuracy
from medscale.scans.architecture_table import (
    COLUMNS,
    PAIR_COLUMNS,
    compare_parts,
    measure_size,
    tabulate_architectures,
)
from tests.unit.scans.scan_tables import make_sheet, predict, training

SHEET = make_sheet()
NETWORKS = {
    "lenet5": {"name": "lenet5", "size_px": 32},
    "resnet18": {"name": "resnet18", "width": 4},
    "resnet18_plain": {"name": "resnet18", "width": 4, "shortcuts": False},
    "resnet18_wide_plain": {"name": "resnet18", "width": 8, "shortcuts": False},
    "googlenet": {"name": "googlenet", "width": 4, "auxiliary": True},
    "googlenet_bare": {"name": "googlenet", "width": 4, "auxiliary": False},
}
CARDS = {name: {"network": {"outputs": 3, "channels_in": 1} | network} for name, network in NETWORKS.items()}
TRAININGS = [training(name, size_px=32) for name in (*NETWORKS, "svm")]
PREDICTIONS = {
    one.name: [predict(SHEET, 0.4 + 0.07 * place, seed) for seed in range(2)]
    for place, one in enumerate(TRAININGS)
}


@pytest.fixture(scope="module")
def table():
    return tabulate_architectures(TRAININGS, CARDS, PREDICTIONS, 100, 0)


def test_a_row_for_each_network_and_method_and_the_floor_below(table):
    assert list(table.columns) == COLUMNS
    assert table["network"].tolist() == [*NETWORKS, "svm", "majority"]
    for row in table[:-1].to_dict("records"):
        expected = summarise_accuracy(PREDICTIONS[row["network"]], 100, 0)
        assert {name: row[name] for name in expected} == pytest.approx(expected)


def test_the_floor_is_the_frequent_class(table):
    majority, first = table.iloc[-1], table.iloc[0]
    for ending in ("", "_low", "_high"):
        assert majority[f"test_accuracy{ending}"] == first[f"floor_accuracy{ending}"]
        assert majority[f"test_detection_accuracy{ending}"] == first[f"floor_detection_accuracy{ending}"]
    assert majority["test_accuracy"] == pytest.approx(1 / 3)
    assert majority[["seeds", "parameters", "train_accuracy"]].isna().all()


def test_sizes_are_those_of_the_network_as_it_was_trained():
    size = measure_size(CARDS["lenet5"]["network"], 32)
    # LeNet-5 for 3 classes has 7 x 85 numbers less in its last layer than for 10.
    assert size["parameters"] == 61_706 - 7 * 85
    assert size["published_parameters"] == 61_706
    network = build_network("resnet18", 0, outputs=3, channels_in=1, width=4)
    size = measure_size(CARDS["resnet18"]["network"], 48)
    assert size["parameters"] == sum(weight.numel() for weight in network.parameters())
    assert size["operations"] == count_operations(network, (1, 48, 48))
    assert size["published_parameters"] == 11_689_512


def test_methods_without_a_network_have_no_size(table, tmp_path):
    write_table(table, tmp_path / "a.csv")
    again = read_table(tmp_path / "a.csv").set_index("network")
    assert again.loc["svm", ["architecture", "parameters", "operations"]].isna().all()
    assert again.at["googlenet", "parameters"] > again.at["googlenet_bare", "parameters"]
    assert again.at["googlenet", "operations"] == again.at["googlenet_bare", "operations"]
    assert ",61111," in (tmp_path / "a.csv").read_text()


def test_networks_that_differ_in_one_part_are_paired():
    pairs = compare_parts(TRAININGS, CARDS, PREDICTIONS, 100, 0)
    assert list(pairs.columns) == PAIR_COLUMNS
    assert pairs[["changed", "network", "without"]].to_numpy().tolist() == [
        ["shortcuts", "resnet18", "resnet18_plain"],
        ["auxiliary", "googlenet", "googlenet_bare"],
    ]
    row = pairs.iloc[0]
    assert row["difference"] == pytest.approx(row["test_accuracy"] - row["test_accuracy_without"])
    expected = compare_accuracy(PREDICTIONS["resnet18"], PREDICTIONS["resnet18_plain"], 100, 0)
    assert row["difference_low"] == expected["difference_low"]
    assert row["difference_low"] < row["difference"] < row["difference_high"]


def test_nothing_to_compare_gives_empty_tables():
    assert compare_parts([TRAININGS[0]], CARDS, PREDICTIONS, 10, 0).empty
    nothing = tabulate_architectures([], {}, {}, 10, 0)
    assert nothing.empty
    assert list(nothing.columns) == COLUMNS
    assert not np.isin("majority", nothing["network"])
