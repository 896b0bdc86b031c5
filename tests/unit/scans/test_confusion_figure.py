import pytest

from medscale.errors import InputError
from medscale.files.pictures import write_figure
from medscale.files.tables import read_table, write_table
from medscale.scans.classification_table import tabulate_confusion
from medscale.scans.confusion_figure import draw_confusions
from tests.unit.scans.scan_tables import BRAIN, make_sheet, predict, training


@pytest.fixture
def confusion(tmp_path):
    brains, breasts = make_sheet(BRAIN), make_sheet()
    trainings = [
        training("a", collection="brain_mri"),
        training("b", collection="brain_mri", guarded=False),
        training("c"),
    ]
    runs = {"a": [predict(brains, 1)], "b": [predict(brains, 0)], "c": [predict(breasts, 0)]}
    write_table(tabulate_confusion(trainings, runs), tmp_path / "a.csv")
    return read_table(tmp_path / "a.csv")


def test_each_collection_and_division_has_a_matrix(confusion, tmp_path):
    figure = draw_confusions(confusion)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == [
        "brain mri,\ncopies in one split",
        "brain mri,\ncopies in several splits",
        "breast ultrasound,\ncopies in one split",
    ]
    write_figure(figure, tmp_path / "a.png")


def test_rows_are_true_classes_and_those_without_tumour_come_first(confusion):
    right, wrong, breasts = draw_confusions(confusion).axes
    assert [label.get_text() for label in breasts.get_xticklabels()] == ["normal", "benign", "malignant"]
    assert [text.get_position() for text in right.texts] == [(0, 0), (1, 1)]
    assert [text.get_position() for text in wrong.texts] == [(1, 0), (0, 1)]
    # `predict` calls normal benign, benign malignant and malignant normal.
    assert [text.get_position() for text in breasts.texts] == [(1, 0), (2, 1), (0, 2)]
    assert right.texts[0].get_text() == "6\n100%"


def test_an_empty_table_is_refused(confusion):
    with pytest.raises(InputError, match="a matrix at least"):
        draw_confusions(confusion[:0])
