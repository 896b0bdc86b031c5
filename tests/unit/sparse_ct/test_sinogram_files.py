import h5py
import numpy as np
import pytest

from medscale.errors import InputError
from medscale.sparse_ct.geometry import full_scan
from medscale.sparse_ct.sinogram_files import read_sinogram, write_sinogram

FAN = {"kind": "fan", "source_mm": 500.0, "source_to_detector_mm": 1000.0}


@pytest.mark.parametrize("beam", [{}, FAN], ids=["parallel", "fan"])
def test_a_sinogram_and_its_geometry_come_back(tmp_path, beam):
    geometry = full_scan(32, 0.8, 9, **beam)
    projections = np.random.default_rng(0).random((3, 9, geometry.detectors)).astype(np.float32)
    write_sinogram(projections, geometry, tmp_path / "a.h5")
    values, read = read_sinogram(tmp_path / "a.h5")
    assert np.array_equal(values, projections)
    assert values.dtype == np.float32
    assert read == geometry


def test_others_can_read_the_file_without_us(tmp_path):
    geometry = full_scan(32, 0.8, 9)
    write_sinogram(np.ones((2, 9, geometry.detectors), np.float32), geometry, tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as file:
        data = file["projections"]
        assert data.attrs["axes"] == "slice, view, detector"
        assert (data.attrs["beam"], data.attrs["pixel_mm"]) == ("parallel", 0.8)
        assert np.allclose(file["angles_rad"], np.arange(9) * np.pi / 9)


def test_the_same_sinogram_gives_the_same_bytes(tmp_path):
    geometry = full_scan(32, 0.8, 9)
    values = np.ones((2, 9, geometry.detectors), np.float32)
    for name in ("a.h5", "b.h5"):
        write_sinogram(values, geometry, tmp_path / name)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_damaged_files_are_refused(tmp_path):
    geometry = full_scan(32, 0.8, 9)
    write_sinogram(np.ones((2, 9, geometry.detectors), np.float32), geometry, tmp_path / "a.h5")
    whole = (tmp_path / "a.h5").read_bytes()
    (tmp_path / "short.h5").write_bytes(whole[: len(whole) // 2])
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["something"] = 1
    for name in ("short.h5", "other.h5", "missing.h5"):
        with pytest.raises(InputError, match=f"{name}.*no sinogram"):
            read_sinogram(tmp_path / name)
