import numpy as np
import openslide
import pytest
import tifffile

from medscale.errors import InputError
from medscale.files.rasters import Raster, read_raster, write_raster


@pytest.mark.parametrize("shape", [(1, 1), (256, 256), (300, 700)])
@pytest.mark.parametrize("um_px", [0.243, 48.0])
def test_a_raster_comes_back_with_its_resolution(tmp_path, shape, um_px):
    values = np.random.default_rng(0).random(shape).astype(np.float32)
    values[0, 0] = np.nan
    write_raster(Raster(values, um_px), tmp_path / "a.tif")
    read = read_raster(tmp_path / "a.tif")
    np.testing.assert_array_equal(read.values, values)
    assert read.um_px == pytest.approx(um_px, rel=1e-6)


def test_viewers_find_the_resolution_of_a_mask(tmp_path):
    write_raster(Raster(np.ones((500, 400), np.uint8), 8.0), tmp_path / "mask.tif")
    with openslide.OpenSlide(tmp_path / "mask.tif") as slide:
        assert slide.dimensions == (400, 500)
        assert float(slide.properties[openslide.PROPERTY_NAME_MPP_X]) == pytest.approx(8.0)


def test_the_bytes_of_a_raster_repeat(tmp_path):
    raster = Raster(np.random.default_rng(0).random((300, 300)).astype(np.float32), 48.0)
    write_raster(raster, tmp_path / "a.tif")
    write_raster(raster, tmp_path / "b.tif")
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()


def test_files_that_are_no_rasters_are_refused(tmp_path):
    (tmp_path / "text.tif").write_text("no TIFF")
    with pytest.raises(InputError, match=r"text\.tif: found no readable TIFF"):
        read_raster(tmp_path / "text.tif")
    tifffile.imwrite(tmp_path / "plain.tif", np.zeros((4, 4), np.uint8))
    with pytest.raises(InputError, match="no resolution"):
        read_raster(tmp_path / "plain.tif")
