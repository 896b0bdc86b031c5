import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.measure import regionprops

from medscale.errors import InputError
from medscale.files.rasters import Raster, write_raster
from medscale.pathology.lesions import (
    extract_features,
    feature_names,
    measure_feret,
    measure_major_axis,
    tabulate_features,
)

UM_PX = 50.0


def corner_shape() -> np.ndarray:
    shape = np.zeros((20, 20), bool)
    shape[:, :2] = True
    shape[18:, :] = True
    return shape


# The table in section 4 of the pathology reference, measured with scikit-image 0.26.
SHAPES = {
    "one cell": (np.ones((1, 1), bool), 0.0, 1.0),
    "2 x 2": (np.ones((2, 2), bool), 2.0, 2.236),
    "5 x 5": (np.ones((5, 5), bool), 5.657, 6.403),
    "line": (np.ones((1, 64), bool), 73.892, 64.0),
    "block": (np.ones((64, 64), bool), 73.892, 89.805),
    "corner": (corner_shape(), 31.048, 27.586),
}


def draw_heatmap(region: np.ndarray, confidence: float = 0.9) -> Raster:
    values = np.pad(np.where(region, confidence, 0.1), 2, constant_values=0.1).astype(np.float32)
    return Raster(np.pad(values, 1, constant_values=np.nan), UM_PX)


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_have_the_lengths_of_the_reference(name):
    region, axis, feret = SHAPES[name]
    features = extract_features(draw_heatmap(region), thresholds=[0.5])
    assert features["largest_major_axis_mm_at_0.5"] == pytest.approx(axis * UM_PX / 1e3, abs=1e-4)
    assert features["largest_feret_mm_at_0.5"] == pytest.approx(feret * UM_PX / 1e3, abs=1e-4)
    assert features["largest_area_mm2_at_0.5"] == pytest.approx(region.sum() * (UM_PX / 1e3) ** 2)


@pytest.mark.parametrize("name", SHAPES)
def test_lengths_do_not_turn_with_the_region(name):
    region = SHAPES[name][0]
    for turned in (region.T, region[::-1], region[:, ::-1], np.rot90(region)):
        assert measure_feret(turned) == pytest.approx(measure_feret(region))
        assert measure_major_axis(turned) == pytest.approx(measure_major_axis(region), abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), blur=st.floats(0.5, 3))
def test_lengths_agree_with_scikit_image_on_ragged_regions(seed, blur):
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).random((24, 24)), blur)
    labels, _ = ndimage.label(noise > np.quantile(noise, 0.8), structure=np.ones((3, 3)))
    for region in regionprops(labels):
        assert measure_major_axis(region.image) == pytest.approx(region.axis_major_length, abs=1e-6)
        excess = region.feret_diameter_max - measure_feret(region.image)
        assert -1e-9 <= excess <= 0.5


def test_all_eleven_features_of_a_small_heatmap():
    nan = np.nan
    values = np.array(
        [
            [0.9, 0.7, 0.1, nan],
            [0.1, 0.1, 0.1, nan],
            [0.1, 0.1, 0.1, 0.6],
        ],
        np.float32,
    )
    features = extract_features(Raster(values, 100.0), thresholds=[0.5])
    expected = {
        "largest_major_axis_mm_at_0.5": 0.2,
        "largest_feret_mm_at_0.5": 0.2,
        "largest_max_confidence_at_0.5": 0.9,
        "largest_mean_confidence_at_0.5": 0.8,
        "largest_area_mm2_at_0.5": 0.02,
        "regions_mean_confidence_at_0.5": 0.7,
        "regions_area_mm2_at_0.5": 0.03,
        "regions_count_at_0.5": 2,
        "slide_max_confidence": 0.9,
        "slide_mean_confidence": 2.9 / 10,
        "tissue_area_mm2": 0.1,
        "tissue_background_ratio": 5.0,
    }
    assert features == pytest.approx(expected, abs=1e-6)
    assert list(features) == feature_names([0.5])


def test_features_come_once_for_each_threshold_in_a_fixed_order():
    names = feature_names([0.5, 0.9])
    assert len(names) == 2 * 8 + 4
    assert names[0] == "largest_major_axis_mm_at_0.5"
    assert names[8] == "largest_major_axis_mm_at_0.9"
    assert names[-1] == "tissue_background_ratio"
    features = extract_features(draw_heatmap(np.ones((3, 3), bool), 0.7), thresholds=[0.5, 0.9])
    assert list(features) == names
    assert (features["regions_count_at_0.5"], features["regions_count_at_0.9"]) == (1, 0)


def test_without_a_region_all_region_features_are_zero():
    features = extract_features(Raster(np.full((4, 4), 0.2, np.float32), UM_PX), thresholds=[0.5])
    assert all(value == 0 for name, value in features.items() if "_at_" in name)
    assert features["slide_max_confidence"] == pytest.approx(0.2)


def test_a_single_cell_differs_from_no_region_by_its_feret_diameter():
    features = extract_features(draw_heatmap(np.ones((1, 1), bool)), thresholds=[0.5])
    assert features["largest_major_axis_mm_at_0.5"] == 0
    assert features["largest_feret_mm_at_0.5"] == pytest.approx(UM_PX / 1e3)
    assert features["regions_count_at_0.5"] == 1


def test_cells_that_share_a_corner_are_connected_by_choice():
    heatmap = draw_heatmap(np.eye(3, dtype=bool))
    assert extract_features(heatmap, thresholds=[0.5])["regions_count_at_0.5"] == 1
    assert extract_features(heatmap, thresholds=[0.5], connectivity=4)["regions_count_at_0.5"] == 3


def test_the_largest_region_goes_by_area_and_then_by_mean_confidence():
    values = np.full((5, 9), 0.1, np.float32)
    values[0, 0:2] = 0.6
    values[2, 0:2] = 0.8
    values[4, 8] = 1.0
    features = extract_features(Raster(values, UM_PX), thresholds=[0.5])
    assert features["largest_mean_confidence_at_0.5"] == pytest.approx(0.8)
    values[0, 0:3] = 0.6
    features = extract_features(Raster(values, UM_PX), thresholds=[0.5])
    assert features["largest_mean_confidence_at_0.5"] == pytest.approx(0.6)


def test_of_equal_regions_the_first_in_row_order_is_the_largest():
    values = np.full((5, 5), 0.1, np.float32)
    values[0, 1:3] = 0.75, 0.75
    values[2, 0:2] = 1.0, 0.5
    features = extract_features(Raster(values, UM_PX), thresholds=[0.5])
    assert features["largest_max_confidence_at_0.5"] == pytest.approx(0.75)


def test_a_cell_at_the_threshold_belongs_to_a_region():
    heatmap = Raster(np.array([[0.9, 0.1]], np.float32), UM_PX)
    assert extract_features(heatmap, thresholds=[0.9])["regions_count_at_0.9"] == 1


def test_a_heatmap_full_of_tissue_has_a_finite_ratio():
    heatmap = Raster(np.full((3, 3), 0.5, np.float32), UM_PX)
    assert extract_features(heatmap, thresholds=[0.5])["tissue_background_ratio"] == 9


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(1, 12),
    columns=st.integers(1, 12),
    flip=st.booleans(),
    turns=st.integers(0, 3),
)
def test_features_do_not_change_when_the_heatmap_is_flipped_or_turned(seed, rows, columns, flip, turns):
    values = np.random.default_rng(seed).random((rows, columns)).astype(np.float32)
    values[values < 0.2] = np.nan
    values[0, 0] = 0.7
    turned = np.rot90(values[::-1] if flip else values, turns)
    before = extract_features(Raster(values, UM_PX), thresholds=[0.4, 0.8])
    after = extract_features(Raster(turned, UM_PX), thresholds=[0.4, 0.8])
    assert after == pytest.approx(before, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (np.full((3, 3), np.nan, np.float32), "no tissue"),
        (np.full((3, 3), 255, np.float32), "255"),
        (np.full((3, 3), -0.5, np.float32), "-0.5"),
        (np.zeros(3, np.float32), "shape"),
    ],
)
def test_unusable_heatmaps_are_refused(values, found):
    with pytest.raises(InputError, match=found):
        extract_features(Raster(values, UM_PX), thresholds=[0.5])


@pytest.mark.parametrize("thresholds", [[], [0.0], [1.5], [0.5, 0.5]])
def test_unusable_thresholds_are_refused(thresholds):
    with pytest.raises(InputError, match="thresholds"):
        feature_names(thresholds)


def test_an_unknown_connectivity_is_refused():
    with pytest.raises(InputError, match="connectivity"):
        extract_features(draw_heatmap(np.ones((1, 1), bool)), thresholds=[0.5], connectivity=2)


def test_the_table_is_sorted_by_slide_and_its_errors_name_the_file(tmp_path):
    for slide, size in (("b", 2), ("a", 5)):
        write_raster(draw_heatmap(np.ones((size, size), bool)), tmp_path / f"{slide}.tif")
    heatmaps = {slide: tmp_path / f"{slide}.tif" for slide in ("b", "a")}
    table = tabulate_features(heatmaps, thresholds=[0.5])
    assert list(table["slide"]) == ["a", "b"]
    assert list(table.columns) == ["slide", *feature_names([0.5])]
    assert table["largest_area_mm2_at_0.5"].to_numpy() == pytest.approx([25 * 0.0025, 4 * 0.0025])
    write_raster(Raster(np.full((4, 4), np.nan, np.float32), UM_PX), tmp_path / "b.tif")
    with pytest.raises(InputError, match=r"b\.tif"):
        tabulate_features(heatmaps, thresholds=[0.5])
