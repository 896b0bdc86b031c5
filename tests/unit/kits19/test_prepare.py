import numpy as np
import pytest

from medscale.errors import InputError
from medscale.kits19.prepare import PrepareSettings, prepare_case, prepare_cases, prepare_images
from medscale.kits19.prepared_files import read_info, read_labels, read_size, read_slices
from medscale.kits19.resizing import INTERPOLATIONS, resize_labels
from tests.kits19_files import AFFINE, SHAPE, make_hu, make_labels, turn, write_case, write_volume

SETTINGS = PrepareSettings(16, (-512, 512), "area", "area")


def prepare_image(hu, settings):
    (image,) = prepare_images(hu[None], settings)
    return image


def test_a_window_turns_hu_into_grey():
    hu = np.array([[-3024, -513, -512], [0, 256, 255], [511, 512, 3071]], np.int16)
    grey = prepare_image(hu, PrepareSettings(3, (-512, 512), "nearest", "nearest"))
    np.testing.assert_array_equal(grey, [[0, 0, 0], [128, 191, 191], [255, 255, 255]])
    narrow = prepare_image(hu.astype("f4"), PrepareSettings(3, (-79.5, 304), "nearest", "nearest"))
    np.testing.assert_array_equal(narrow, [[0, 0, 0], [53, 223, 222], [255, 255, 255]])


def test_a_prepared_case(tmp_path):
    imaging, segmentation = write_case(tmp_path)
    prepare_case("case_00007", imaging, segmentation, tmp_path / "a.h5", SETTINGS)
    info = read_info(tmp_path / "a.h5")
    assert (info.case, info.original_shape, info.window_hu) == ("case_00007", SHAPE, (-512, 512))
    assert info.spacing_mm == pytest.approx((3, 0.9, 0.8))
    assert read_size(tmp_path / "a.h5") == (SHAPE[0], 16)
    image, labels = read_slices(tmp_path / "a.h5", range(SHAPE[0]))
    for number, hu in enumerate(make_hu()):
        np.testing.assert_array_equal(image[number], prepare_image(hu, SETTINGS))
        np.testing.assert_array_equal(labels[number], resize_labels(make_labels()[number], (16, 16), "area"))


def test_averages_are_of_windowed_values():
    """What lies beyond the window is cut before pixels are mixed, or metal would outshine tissue."""
    hu = np.zeros((4, 4), np.int16)
    hu[0, 0] = 3000
    expected = np.rint(255 * (512 + 512 / 16) / 1024)
    assert prepare_image(hu, PrepareSettings(1, (-512, 512), "area", "area")) == expected


def test_cubic_overshoot_is_cut():
    hu = np.where(np.arange(64) < 32, -600, 600).astype(np.int16) * np.ones((64, 1), np.int16)
    image = prepare_image(hu, PrepareSettings(48, (-512, 512), "cubic", "nearest"))
    assert (image[:, :20] == 0).all()
    assert (image[:, 28:] == 255).all()


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_all_interpolations_of_one_case_agree_roughly(tmp_path, interpolation):
    settings = PrepareSettings(12, (-512, 512), interpolation, "nearest")
    smooth = np.tile(np.linspace(-400, 400, 48).astype(np.int16), (48, 1))
    expected = 255 * (smooth.reshape(48, 12, 4).mean(axis=(0, 2)) + 512) / 1024
    assert np.abs(prepare_image(smooth, settings) - expected).max() < 4


def test_wide_slices_become_square(tmp_path):
    shape = (3, 20, 31)
    imaging, segmentation = write_case(tmp_path, make_hu(shape), np.ones(shape, "u1"))
    prepare_case("case_00160", imaging, segmentation, tmp_path / "a.h5", SETTINGS)
    assert read_size(tmp_path / "a.h5") == (3, 16)
    assert read_info(tmp_path / "a.h5").original_shape == shape
    assert (read_labels(tmp_path / "a.h5") == 1).all()


@pytest.mark.parametrize("axes", ["LPS", "RAS", "SRA"])
def test_orientation_and_data_type_do_not_matter(tmp_path, axes):
    imaging, segmentation = write_case(tmp_path / "usual")
    prepare_case("a", imaging, segmentation, tmp_path / "usual.h5", SETTINGS)
    turned = [turn(values, AFFINE, axes) for values in (make_hu().astype("f8"), make_labels().astype("f4"))]
    paths = [
        write_volume(tmp_path / f"{name}.nii.gz", *volume)
        for name, volume in zip(("imaging", "segmentation"), turned, strict=True)
    ]
    prepare_case("a", *paths, tmp_path / "turned.h5", SETTINGS)
    for one, other in zip(
        read_slices(tmp_path / "usual.h5", range(7)),
        read_slices(tmp_path / "turned.h5", range(7)),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_a_case_without_labels_has_none(tmp_path):
    prepare_case("a", write_case(tmp_path)[0], None, tmp_path / "a.h5", SETTINGS)
    assert read_slices(tmp_path / "a.h5", [0])[1] is None


def test_all_cases_are_tried_before_one_stops_the_job(tmp_path, caplog):
    rows = {"case": [], "imaging": [], "segmentation": []}
    for name in ("bad", "good", "worse"):
        imaging, segmentation = write_case(tmp_path / name)
        for column, value in zip(rows, (name, str(imaging), str(segmentation)), strict=True):
            rows[column].append(value)
    write_volume(tmp_path / "bad/segmentation.nii.gz", make_labels() * np.uint8(7))
    (tmp_path / "worse/imaging.nii.gz").unlink()
    paths = [tmp_path / f"{name}.h5" for name in rows["case"]]
    with pytest.raises(InputError, match=r"2 items, of which the first is .*bad/segmentation"):
        prepare_cases(rows, paths, SETTINGS)
    assert [path.exists() for path in paths] == [False, True, False]
    assert "the labels 0, 7, 14" in caplog.text
    assert "worse/imaging.nii.gz: found no such file" in caplog.text


def test_the_bytes_repeat(tmp_path):
    imaging, segmentation = write_case(tmp_path)
    for name in ("a.h5", "b.h5"):
        prepare_case("case", imaging, segmentation, tmp_path / name, SETTINGS)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"window_hu": (512, -512)}, "window_hu: found from 512 to -512"),
        ({"size_px": 0}, "size_px: found 0"),
        ({"interpolation": "lanczos"}, "interpolation: found 'lanczos'; expected one of nearest, linear"),
        ({"interpolation": "thesis"}, "interpolation: found 'thesis'"),
        ({"label_interpolation": "lanczos"}, "label_interpolation: found 'lanczos'.*area, thesis"),
    ],
)
def test_impossible_settings_are_refused(change, message):
    usual = {"size_px": 16, "window_hu": (-512, 512), "interpolation": "area", "label_interpolation": "area"}
    with pytest.raises(InputError, match=message):
        PrepareSettings(**usual | change)
