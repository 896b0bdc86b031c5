import numpy as np
import pytest

from medscale.errors import InputError
from medscale.files.pictures import write_figure
from medscale.sparse_ct.view_figure import draw_image_rows

COLUMNS = ["original", "60 views", "30 views"]


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    return {
        "a": [rng.normal(0, 300, (32, 32)) for _ in COLUMNS],
        "b": [rng.normal(0, 300, (64, 64)), None, rng.normal(0, 300, (64, 64))],
    }


def test_pictures_stand_in_their_places_in_one_window(rows):
    figure = draw_image_rows(rows, COLUMNS, (-160, 240))
    axes = np.array(figure.axes).reshape(2, 3)
    assert [a.get_title() for a in axes[0]] == COLUMNS
    assert [a.get_ylabel() for a in axes[:, 0]] == ["a", "b"]
    shown = [[bool(a.images) for a in line] for line in axes]
    assert shown == [[True, True, True], [True, False, True]]
    assert np.array_equal(axes[1, 2].images[0].get_array(), rows["b"][2])
    assert {image.get_clim() for a in axes.flat for image in a.images} == {(-160, 240)}
    assert "-160 to 240 HU" in figure.get_supxlabel()


def test_scores_stand_beneath_their_pictures(rows):
    figure = draw_image_rows(rows, COLUMNS, (-160, 240), {"b": [None, float("nan"), 31.416]})
    texts = [a.get_xlabel() for a in figure.axes]
    assert texts == ["", "", "", "", "", "31.42 dB"]


def test_files_have_the_same_bytes_again(rows, tmp_path):
    for name in ("one.png", "two.png"):
        write_figure(draw_image_rows(rows, COLUMNS, (-160, 240)), tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


@pytest.mark.parametrize(
    ("columns", "scores", "message"),
    [
        (COLUMNS[:2], None, "3 pictures in the row 'a'"),
        (COLUMNS, {"a": [1.0]}, "1 scores in the row 'a'"),
        (COLUMNS, {"c": [1.0, 2.0, 3.0]}, "scores of 'c'"),
        ([], None, "nothing to draw"),
    ],
)
def test_a_grid_with_gaps_is_refused(rows, columns, scores, message):
    with pytest.raises(InputError, match=message):
        draw_image_rows(rows, columns, (-160, 240), scores)
