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


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([-1000, np.nan, np.nan], r"a\.nii: found 2 values that are no number"),
        ([-1000, np.inf, 0], "1 values that are no number"),
        ([-8193, 0, 0], "far out of range"),
        ([-1000, 0, 31744], "values from -1000 to 31744, far out of range"),
        ([-499, 0, 60], "without any air"),
        ([0, 1024, 4095], "values from 0 to 4095, without any air"),
        ([0, 0.5, 1], "without any air"),
    ],
)
def test_values_that_cannot_be_hu_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        clean_hu(np.array(values, np.float32), "a.nii")
