import numpy as np
import pandas as pd
import pytest

from medscale.errors import InputError
from medscale.files.pictures import write_figure
from medscale.scans.score_figures import draw_costs, draw_data_sizes, draw_image_sizes


def scored(name, values):
    values = np.array(values, float)
    return {name: values, f"{name}_low": values - 0.1, f"{name}_high": values + 0.1}


ARCHITECTURES = pd.DataFrame(
    {
        "network": ["lenet5", "resnet18", "svm", "majority"],
        "parameters": [6e4, 1e7, np.nan, np.nan],
        "operations": [4e5, 2e9, np.nan, np.nan],
        **scored("test_accuracy", [0.6, 0.8, 0.7, 0.4]),
    }
)
DATA_SIZES = pd.DataFrame(
    {
        "network": ["a", "a", "b", "b"],
        "train_images": [10.0, 20.5, 10.0, 20.5],
        "floor_accuracy": [0.3] * 4,
        **scored("test_accuracy", [0.5, 0.6, 0.55, 0.7]),
    }
)
IMAGE_SIZES = pd.DataFrame(
    {
        "network": ["strided_cnn", "strided_cnn", "unet", "unet"],
        "size_px": [32, 64, 32, 64],
        "floor_accuracy": [0.4, 0.4, np.nan, np.nan],
        "floor_iou": [np.nan, np.nan, 0.2, 0.25],
        "floor_iou_original": [np.nan, np.nan, 0.3, 0.3],
        **scored("test_accuracy", [0.7, 0.8, np.nan, np.nan]),
        **scored("test_iou", [np.nan, np.nan, 0.6, 0.5]),
        **scored("test_iou_original", [np.nan, np.nan, 0.55, 0.52]),
    }
)


def _points(axes):
    return {
        (line.get_label(), float(line.get_xdata()[0]), float(line.get_ydata()[0]))
        for line in axes.lines
        if line.get_linestyle() == "None"
    }


def _floors(axes):
    return [list(line.get_ydata()) for line in axes.lines if line.get_color() == "#777777"]


def _spans(axes):
    return [one.get_segments()[0][:, 1].tolist() for one in axes.collections]


def test_accuracy_stands_over_parameters_and_operations(tmp_path):
    figure = draw_costs(ARCHITECTURES)
    parameters, operations, others = figure.axes
    assert _points(parameters) == {("lenet5", 6e4, 0.6), ("resnet18", 1e7, 0.8)}
    assert _points(operations) == {("lenet5", 4e5, 0.6), ("resnet18", 2e9, 0.8)}
    assert _points(others) == {("svm", 0.0, 0.7)}
    assert _spans(parameters) == [pytest.approx([0.5, 0.7]), pytest.approx([0.7, 0.9])]
    assert all(_floors(axes) == [[0.4, 0.4]] for axes in figure.axes)
    assert parameters.get_xscale() == "log"
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["lenet5", "resnet18", "floor: most frequent class", "svm"]
    write_figure(figure, tmp_path / "a.png")


def test_without_other_methods_there_is_no_third_panel():
    assert len(draw_costs(ARCHITECTURES[ARCHITECTURES["network"] != "svm"]).axes) == 2


def test_accuracy_stands_over_training_images(tmp_path):
    figure = draw_data_sizes(DATA_SIZES)
    axes = figure.axes[0]
    # Drawn beside each other, so that intervals do not hide each other.
    for label, x, y in _points(axes):
        own = DATA_SIZES[(DATA_SIZES["network"] == label) & (DATA_SIZES["test_accuracy"] == y)]
        assert x == pytest.approx(own["train_images"].item(), rel=0.05)
    assert len(_points(axes)) == 4
    assert len({x for _, x, _ in _points(axes)}) == 4
    assert [label.get_text() for label in axes.get_xticklabels()] == ["10", "20"]
    assert _floors(axes) == [[0.3, 0.3]]
    write_figure(figure, tmp_path / "a.png")


def test_scores_stand_over_the_size_of_images(tmp_path):
    figure = draw_image_sizes(IMAGE_SIZES)
    accuracy, own, original = figure.axes
    assert [axes.get_title() for axes in figure.axes] == [
        "test accuracy",
        "test IoU, own grid",
        "test IoU, original grid",
    ]
    assert _points(accuracy) == {("strided_cnn", 32.0, 0.7), ("strided_cnn", 64.0, 0.8)}
    assert _points(own) == {("unet", 32.0, 0.6), ("unet", 64.0, 0.5)}
    assert _floors(own) == [[0.2, 0.25]]
    assert _floors(original) == [[0.3, 0.3]]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["strided_cnn", "floor", "unet"]
    write_figure(figure, tmp_path / "a.png")


def test_what_was_not_measured_has_no_panel():
    assert len(draw_image_sizes(IMAGE_SIZES[:2]).axes) == 1


@pytest.mark.parametrize(
    ("draw", "rows", "maker"),
    [
        (draw_costs, ARCHITECTURES[3:], "tabulate_architectures"),
        (draw_data_sizes, DATA_SIZES[:0], "tabulate_data_sizes"),
        (draw_image_sizes, IMAGE_SIZES[:0], "tabulate_image_sizes"),
    ],
)
def test_empty_tables_are_refused(draw, rows, maker):
    with pytest.raises(InputError, match=rf"no row.*{maker}"):
        draw(rows)
