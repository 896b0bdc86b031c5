import numpy as np
import pytest

from medscale.errors import InputError
from medscale.files.volumes import write_nifti
from medscale.kits19.case_pictures import CaseFiles, draw_case, draw_missed_tumour, gather_cases
from medscale.kits19.cases import Grid, to_original
from tests.unit.kits19.scored_cases import draw_truth

WINDOW_HU = (-160, 240)
GRID = Grid((10, 24, 24), np.array([[0, 0, -1.0, 0], [0, -1.0, 0, 0], [-3.0, 0, 0, 0], [0, 0, 0, 1]]))
TUMOUR_SLICES = range(3, 8)


def write(folder, name, values):
    write_nifti(to_original(values, GRID), folder / f"{name}.nii.gz")
    return folder / f"{name}.nii.gz"


@pytest.fixture
def make(tmp_path):
    """A function that writes a case whose tumour the first network loses in some slices."""

    def make(case, lost, seed=3):
        truth = draw_truth(seed)
        # A brightness for each slice tells them apart in figures, whose pictures begin beside the air.
        hu = np.broadcast_to(np.arange(10, dtype=np.int16)[:, None, None], truth.shape).copy()
        hu[:, -1, -1] = -1000
        flat = truth.copy()
        flat[lost] = np.minimum(flat[lost], 1)
        files = {name: write(tmp_path, f"{case}_{name}", v) for name, v in (("hu", hu), ("truth", truth))}
        called = {
            name: write(tmp_path, f"{case}_{name}", v) for name, v in (("unet2d", flat), ("unet3d", truth))
        }
        return CaseFiles(case, files["hu"], files["truth"], called)

    return make


def drawn_slices(figure):
    return [int(axes.images[0].get_array()[0, 0]) for axes in figure.axes if axes.images]


def notes(figure):
    return [axes.texts[0].get_text() for axes in figure.axes if axes.images]


def test_a_case_is_drawn_with_its_truth_and_every_network(make):
    figure = draw_case(make("case_00001", [6]), WINDOW_HU, 5)
    assert drawn_slices(figure) == [*TUMOUR_SLICES] * 3
    rows = [axes.get_ylabel() for axes in figure.axes if axes.get_ylabel()]
    assert rows == ["truth", "unet2d", "unet3d"]
    full = "tumour 1.00"
    assert notes(figure) == [""] * 5 + [full, full, full, "tumour 0.00", full] + [full] * 5
    assert "those with tumour" in figure.get_supxlabel().replace("\n", " ")


def test_a_case_without_tumour_shows_its_kidney(make, tmp_path):
    files = make("case_00001", [])
    bare = np.minimum(draw_truth(3), 1)
    files = CaseFiles("a", files.imaging, write(tmp_path, "bare", bare), files.predictions)
    figure = draw_case(files, WINDOW_HU, 2)
    assert drawn_slices(figure) == [3, 6] * 3
    assert "those with kidney" in figure.get_supxlabel().replace("\n", " ")


def test_the_slice_in_which_one_network_loses_the_tumour_is_last(make):
    figure = draw_missed_tumour([make("case_00001", []), make("case_00002", [5])], WINDOW_HU)
    assert drawn_slices(figure) == [3, 4, 5] * 3
    caption = figure.get_supxlabel().replace("\n", " ")
    assert "slice 5 of case_00002" in caption
    assert "Dice 0.00 (unet2d) and 1.00 (unet3d)" in caption
    assert "No test slice" not in caption


def test_where_none_is_lost_the_caption_says_so(make):
    figure = draw_missed_tumour([make("case_00001", [])], WINDOW_HU)
    caption = figure.get_supxlabel().replace("\n", " ")
    assert caption.startswith("No test slice has a tumour that unet2d loses and unet3d keeps")
    assert "furthest ahead" in caption


def test_without_tumours_the_figure_says_so(make, tmp_path):
    files = make("case_00001", [])
    bare = CaseFiles("a", files.imaging, write(tmp_path, "bare", 0 * draw_truth(3)), files.predictions)
    figure = draw_missed_tumour([bare], WINDOW_HU)
    assert [text.get_text() for text in figure.texts] == ["No test case has a tumour."]


def test_what_cannot_be_drawn_is_refused(make):
    files = make("case_00001", [])
    with pytest.raises(InputError, match="the same two"):
        draw_missed_tumour([files.only("unet3d")], WINDOW_HU)
    with pytest.raises(InputError, match="the same two"):
        draw_missed_tumour([files, files.only("unet3d", "unet2d")], WINDOW_HU)


def test_predictions_are_gathered_by_case():
    cases = gather_cases(["a", "b"], ["ia", "ib"], ["sa", "sb"], ["x", "y"], ["xa", "xb", "ya", "yb"])
    assert cases == [
        CaseFiles("a", "ia", "sa", {"x": "xa", "y": "ya"}),
        CaseFiles("b", "ib", "sb", {"x": "xb", "y": "yb"}),
    ]
    assert cases[0].only("y").predictions == {"y": "ya"}
