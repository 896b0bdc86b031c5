import h5py
import pytest

from medscale.errors import InputError
from medscale.files.hdf5 import opened_hdf5


def test_parts_are_read(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["parts"] = [1, 2]
    with opened_hdf5(tmp_path / "a.h5", "numbers", "an HDF5 file with parts") as file:
        assert file["parts"][:].tolist() == [1, 2]


def test_missing_and_damaged_files_and_lacking_parts_are_explained(tmp_path):
    path = tmp_path / "a.h5"
    message = r"a\.h5: found no numbers \(.*expected an HDF5 file with parts. Delete the file"
    with pytest.raises(InputError, match=message), opened_hdf5(path, "numbers", "an HDF5 file with parts"):
        pass
    with h5py.File(path, "w") as file:
        file["parts"] = list(range(1000))
    with (
        pytest.raises(InputError, match=message),
        opened_hdf5(path, "numbers", "an HDF5 file with parts") as file,
    ):
        file["others"]
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(InputError, match=message), opened_hdf5(path, "numbers", "an HDF5 file with parts"):
        pass
