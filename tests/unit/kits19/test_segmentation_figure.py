import numpy as np
import pytest

from medscale.errors import InputError
from medscale.files.pictures import write_figure
from medscale.kits19.segmentation_figure import OUTLINES, draw_segmentations

WINDOW_HU = (-160, 240)


@pytest.fixture
def labels():
    labels = np.zeros((100, 120), np.uint8)
    labels[40:60, 30:50] = 1
    labels[45:55, 45:55] = 2
    return labels


def pictures(figure):
    return [axes for axes in figure.axes if axes.images]


def outlines(axes):
    """Colours of the outlines and the points that they go through."""
    return {
        tuple(c.get_edgecolor()[0]): np.vstack([p.vertices for p in c.get_paths()]) for c in axes.collections
    }


def test_a_row_and_a_column_for_each(labels, tmp_path):
    images = [np.zeros((100, 120)), np.full((100, 120), 50.0)]
    rows = {"truth": [labels, labels], "unet2d": [labels, 0 * labels]}
    figure = draw_segmentations(
        images, rows, ["slice 1", "slice 2"], WINDOW_HU, "a caption", {"unet2d": "xy"}
    )
    drawn = pictures(figure)
    assert [axes.get_title() for axes in drawn] == ["slice 1", "slice 2", "", ""]
    assert [axes.get_ylabel() for axes in drawn] == ["truth", "", "unet2d", ""]
    assert [len(axes.collections) for axes in drawn] == [2, 2, 2, 0]
    assert [axes.texts[0].get_text() for axes in drawn] == ["", "", "x", "y"]
    assert {axes.images[0].get_clim() for axes in drawn} == {WINDOW_HU}
    assert figure.get_supxlabel() == "a caption"
    write_figure(figure, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_pictures_are_cut_to_the_kidneys_of_all_rows(labels):
    shifted = np.roll(labels, 30, axis=1)
    figure = draw_segmentations([np.zeros((100, 120))], {"a": [labels], "b": [shifted]}, ["1"], WINDOW_HU)
    # Rows 40 to 60 are widened to 32, columns 30 to 85 by 15 % on both sides.
    assert {axes.images[0].get_array().shape for axes in pictures(figure)} == {(32, 73)}


def test_outlines_run_around_the_pixels(labels):
    figure = draw_segmentations([np.zeros((100, 120))], {"a": [labels]}, ["1"], WINDOW_HU)
    drawn = outlines(pictures(figure)[0])
    assert len(drawn) == len(OUTLINES)
    kidney, tumour = drawn.values()
    # Kidney with tumour reaches from column 30 to 54 and the picture begins with column 26.
    assert (kidney[:, 0].min(), kidney[:, 0].max()) == pytest.approx((3.5, 28.5))
    assert (tumour[:, 0].min(), tumour[:, 0].max()) == pytest.approx((18.5, 28.5))
    assert tumour[:, 1].max() - tumour[:, 1].min() == pytest.approx(10)


def test_without_any_kidney_whole_slices_are_shown(labels):
    figure = draw_segmentations([np.zeros((100, 120))], {"a": [0 * labels]}, ["1"], WINDOW_HU)
    assert pictures(figure)[0].images[0].get_array().shape == (100, 120)


def test_unfit_pictures_are_refused(labels):
    with pytest.raises(InputError, match="1 pictures for a"):
        draw_segmentations([np.zeros((100, 120))] * 2, {"a": [labels]}, ["1", "2"], WINDOW_HU)
    with pytest.raises(InputError, match="nothing to draw"):
        draw_segmentations([], {}, [], WINDOW_HU)
