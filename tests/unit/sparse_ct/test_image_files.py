import logging

import numpy as np
import pytest

from medscale.errors import InputError
from medscale.sparse_ct.image_files import convert_images, read_stored
from medscale.sparse_ct.scan_files import simulate_views
from medscale.sparse_ct.simulation import SimulationSettings
from medscale.sparse_ct.sinogram_files import read_sinogram
from tests.ct_files import head, write_slice


def rows(*paths):
    empty = [""] * len(paths)
    names = [path.stem for path in paths]
    scale = {"hu_low": empty, "hu_high": empty, "pixel_mm": empty}
    return {"image": names, "path": [str(path) for path in paths], **scale}


def test_images_are_converted_to_hounsfield_units(tmp_path):
    path = write_slice(tmp_path / "a.dcm", head(32))
    convert_images(rows(path), [tmp_path / "a.nii"])
    hu = read_stored(tmp_path / "a.nii").hu
    assert hu.shape == (1, 32, 32)
    assert hu.min() >= -1024
    assert hu.max() > 0


def test_all_bad_images_are_named_and_the_good_ones_still_converted(tmp_path, caplog):
    good, bad = write_slice(tmp_path / "good.dcm", head(32)), tmp_path / "bad.dcm"
    worse = tmp_path / "worse.dcm"
    bad.write_bytes(b"no image")
    worse.write_bytes(b"neither")
    outputs = [tmp_path / f"{name}.nii" for name in ("bad", "good", "worse")]
    with caplog.at_level(logging.ERROR), pytest.raises(InputError, match=r"2 items.*first is .*bad.dcm"):
        convert_images(rows(bad, good, worse), outputs)
    assert [path.exists() for path in outputs] == [False, True, False]
    assert "bad.dcm" in caplog.text
    assert "worse.dcm" in caplog.text


def test_scans_of_all_images_and_views_go_to_their_files(tmp_path):
    names, views = ["a", "b"], [5, 9]
    for name, size in zip(names, (32, 48), strict=True):
        convert_images(rows(write_slice(tmp_path / f"{name}.dcm", head(size))), [tmp_path / f"{name}.nii"])
    cases = [(name, count) for count in views for name in names]
    sinograms = [tmp_path / f"{name}_{count}.h5" for name, count in cases]
    fbp = [tmp_path / f"{name}_{count}.nii" for name, count in cases]
    images = [tmp_path / f"{name}.nii" for name in names]
    simulate_views(names, images, views, sinograms, fbp, SimulationSettings(100), seed=0)
    for (name, count), sinogram, path in zip(cases, sinograms, fbp, strict=True):
        projections, geometry = read_sinogram(sinogram)
        assert projections.shape[:2] == (1, count)
        original, reconstructed = read_stored(tmp_path / f"{name}.nii"), read_stored(path)
        assert geometry.size_px == original.hu.shape[-1]
        assert np.allclose(reconstructed.affine, original.affine)
        assert np.corrcoef(reconstructed.hu.ravel(), original.hu.ravel())[0, 1] > 0.7
