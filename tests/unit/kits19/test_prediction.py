import nibabel
import numpy as np
import pytest
import torch
from nibabel.orientations import apply_orientation, axcodes2ornt, io_orientation, ornt_transform
from torch import nn

from medscale.errors import InputError
from medscale.files.volumes import Volume, write_nifti
from medscale.kits19.cases import Grid
from medscale.kits19.prediction import (
    PredictionSettings,
    label_slice,
    predict_case,
    predict_cases,
    predict_slices,
)
from medscale.kits19.prepared_files import PreparedInfo, write_prepared
from medscale.training.models import ModelCard

CPU = torch.device("cpu")
SETTINGS = PredictionSettings(batch_slices=4, overlap_slices=2)
WINDOW_HU = (-512.0, 512.0)
SIZE_PX = 8
TRAINED_ON = {"size_px": SIZE_PX, "slices": 6, "window_hu": list(WINDOW_HU), "interpolation": "area"}
CARD = ModelCard({}, TRAINED_ON, {}, [])
KITS19_AFFINE = np.array([[0, 0, -0.8, 0], [0, -0.8, 0, 0], [-3.0, 0, 0, 0], [0, 0, 0, 1]])
UPRIGHT = np.diag([-0.8, 0.8, 3.0, 1.0])


class Thresholds(nn.Module):
    """Calls dark pixels background, grey ones kidney and bright ones tumour."""

    def __init__(self, dimensions):
        super().__init__()
        self.dimensions, self.shapes = dimensions, []

    def forward(self, x):
        assert x.dtype == torch.float32
        assert x.ndim == self.dimensions + 2
        self.shapes.append(tuple(x.shape))
        return torch.cat([50 * (0.25 - x), 10 * (0.5 - (x - 0.5).abs()), 50 * (x - 0.75)], dim=1)


def write_case(path, image, shape):
    info = PreparedInfo("case_00007", shape, (3.0, 0.8, 0.8), WINDOW_HU, "area")
    write_prepared(path, info, image.shape[-1], ((picture, None) for picture in image), labelled=False)
    return path


@pytest.fixture
def image():
    """Fifteen slices without any symmetry."""
    image = np.zeros((15, SIZE_PX, SIZE_PX), np.uint8)
    image[:, 1:5, 2:6] = 128
    image[4:9, 1:3, 2:4] = 255
    image[0] = 255
    return image


@pytest.fixture
def expected(image):
    return np.select([image > 200, image > 100], [2, 1]).astype(np.uint8)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_every_slice_is_predicted_once_in_order(tmp_path, image, expected, dimensions):
    path = write_case(tmp_path / "a.h5", image, (15, SIZE_PX, SIZE_PX))
    network = Thresholds(dimensions)
    found = torch.stack(list(predict_slices(network, CARD, path, SETTINGS, CPU)))
    assert found.shape == (15, 3, SIZE_PX, SIZE_PX)
    torch.testing.assert_close(found.sum(dim=1), torch.ones(15, SIZE_PX, SIZE_PX))
    np.testing.assert_array_equal(found.argmax(dim=1).numpy(), expected)
    if dimensions == 2:
        assert [shape[0] for shape in network.shapes] == [4, 4, 4, 3]
    else:
        assert network.shapes == [(1, 1, 6, SIZE_PX, SIZE_PX)] * 4


def test_a_case_shorter_than_a_block_is_padded_with_air(tmp_path, image, expected):
    path = write_case(tmp_path / "a.h5", image[:4], (4, SIZE_PX, SIZE_PX))
    network = Thresholds(3)
    found = torch.stack(list(predict_slices(network, CARD, path, SETTINGS, CPU)))
    assert network.shapes == [(1, 1, 6, SIZE_PX, SIZE_PX)]
    np.testing.assert_array_equal(found.argmax(dim=1).numpy(), expected[:4])


@pytest.mark.parametrize("affine", [KITS19_AFFINE, UPRIGHT], ids=["KiTS19", "upright"])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_labels_lie_on_the_grid_of_the_file(tmp_path, image, expected, affine, dimensions):
    large = (15, 3 * SIZE_PX, 5 * SIZE_PX)
    to_file = ornt_transform(axcodes2ornt("IPL"), io_orientation(affine))
    shape = apply_orientation(np.zeros(large, bool), to_file).shape
    path = write_case(tmp_path / "a.h5", image, large)
    network = Thresholds(dimensions)
    out = tmp_path / "prediction_00007.nii.gz"
    predict_case(network, CARD, path, Grid(shape, affine), out, SETTINGS, CPU)
    written = nibabel.load(out)
    assert written.get_data_dtype() == np.uint8
    assert written.shape == shape
    np.testing.assert_allclose(written.affine, affine, rtol=1e-6)
    canonical = apply_orientation(
        np.asarray(written.dataobj), ornt_transform(io_orientation(affine), axcodes2ornt("IPL"))
    )
    # The middle of each enlarged pixel shows its class.
    np.testing.assert_array_equal(canonical[:, 1::3, 2::5], expected)


def test_a_prediction_repeats_to_the_byte(tmp_path, image):
    path = write_case(tmp_path / "a.h5", image, (15, 20, 24))
    for name in ("a.nii.gz", "b.nii.gz"):
        predict_case(
            Thresholds(3), CARD, path, Grid((15, 20, 24), KITS19_AFFINE), tmp_path / name, SETTINGS, CPU
        )
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_probabilities_are_enlarged_before_a_class_is_chosen():
    """Between a sure background pixel and an unsure kidney pixel, background reaches further."""
    probabilities = torch.tensor([[0.9, 0.4], [0.1, 0.6], [0.0, 0.0]]).reshape(3, 1, 2)
    assert label_slice(probabilities, (2, 10)).tolist() == [[0] * 7 + [1] * 3] * 2


def test_of_equal_classes_the_first_is_taken():
    values = torch.tensor([[0.4, 0.2, 0.3, 1 / 3], [0.4, 0.4, 0.3, 1 / 3], [0.2, 0.4, 0.4, 1 / 3]])
    assert label_slice(values[:, None], (1, 4)).tolist() == [[0, 1, 2, 0]]


@pytest.mark.parametrize(
    ("shape", "inputs", "overlap", "found"),
    [
        ((15, 20, 20), {}, 2, r"\(15, 20, 24\) slices, rows and columns"),
        ((15, 20, 24), {"window_hu": [-160.0, 240.0]}, 2, "'window_hu': \\[-512.0, 512.0\\]"),
        ((15, 20, 24), {"size_px": 16}, 2, "'size_px': 8"),
        ((15, 20, 24), {"interpolation": "cubic"}, 2, "'interpolation': 'area'"),
        ((15, 20, 24), {}, 6, "6 slices; expected fewer than 6"),
    ],
)
def test_cases_that_do_not_fit_are_refused(tmp_path, image, shape, inputs, overlap, found):
    path = write_case(tmp_path / "a.h5", image, (15, 20, 24))
    card = ModelCard({}, TRAINED_ON | inputs, {}, [])
    with pytest.raises(InputError, match=found):
        predict_case(
            Thresholds(3),
            card,
            path,
            Grid(shape, KITS19_AFFINE),
            tmp_path / "a.nii",
            PredictionSettings(4, overlap),
            CPU,
        )
    assert not (tmp_path / "a.nii").exists()


def test_several_cases_and_their_cost(tmp_path, image):
    prepared, imaging, paths = [], [], []
    for number, part in enumerate((image, image[:5])):
        shape = (len(part), 20, 24)
        prepared.append(write_case(tmp_path / f"{number}.h5", part, shape))
        imaging.append(tmp_path / f"{number}.nii")
        write_nifti(Volume(np.zeros(shape, np.int16), KITS19_AFFINE), imaging[-1])
        paths.append(tmp_path / f"prediction_{number}.nii.gz")
    cost = predict_cases(Thresholds(2), CARD, prepared, imaging, paths, SETTINGS, CPU)
    assert cost["slices"].tolist() == [15, 5]
    assert set(cost["case"]) == {"case_00007"}
    assert (cost["seconds"] > 0).all()
    assert [nibabel.load(path).shape for path in paths] == [(15, 20, 24), (5, 20, 24)]
