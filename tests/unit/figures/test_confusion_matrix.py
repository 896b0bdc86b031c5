import numpy as np

from medscale.figures.confusion_matrix import draw_confusion
from medscale.files.pictures import write_figure


def test_the_picture_shows_counts_shares_and_row_totals(tmp_path):
    figure = draw_confusion(np.array([[3, 1], [0, 0]]), ["negative", "macro"], title="Slides")
    axes = figure.axes[0]
    assert axes.get_title() == "Slides"
    assert [text.get_text() for text in axes.texts] == ["3\n75%", "1\n25%"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["negative\n(n = 4)", "macro\n(n = 0)"]
    write_figure(figure, tmp_path / "confusion.png")


def test_means_over_seeds_have_one_decimal_where_they_are_not_whole():
    thirds = np.array([[1 / 3 + 1 / 3 + 1 / 3, 2 / 3], [0, 3.0]])
    axes = draw_confusion(thirds, ["no", "yes"]).axes[0]
    assert [text.get_text() for text in axes.texts] == ["1\n60%", "0.7\n40%", "3\n100%"]
    assert axes.get_yticklabels()[0].get_text() == "no\n(n = 1.7)"
