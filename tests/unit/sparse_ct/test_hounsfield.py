import numpy as np
import pytest

from medscale.errors import InputError
from medscale.sparse_ct.hounsfield import clean_hu


def test_what_is_outside_the_scanned_field_becomes_air():
    hu = np.array([-3024, -1025, -1024, -1000, 0, 3071], np.float32)
    cleaned = clean_hu(hu, "a.nii")
    np.testing.assert_array_equal(cleaned, [-1000, -1000, -1024, -1000, 0, 3071])
    assert cleaned.dtype == np.float32
    assert hu[0] == -3024


def test_values_that_cannot_be_hu_are_refused():
    with pytest.raises(InputError, match="without any air"):
        clean_hu(np.array([0, 1024, 4095], np.float32), "a.nii")
