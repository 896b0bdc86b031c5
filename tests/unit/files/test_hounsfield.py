import numpy as np
import pytest

from medscale.errors import InputError
from medscale.files.hounsfield import check_hu


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
        check_hu(np.array(values, np.float32), "a.nii")


def test_whole_numbers_of_any_width_are_checked():
    check_hu(np.array([-1024, 3071], np.int16), "a.nii")
    check_hu(np.array([-2000, 0], np.int64), "a.nii")
    with pytest.raises(InputError, match="without any air"):
        check_hu(np.array([0, 255], np.uint8), "a.nii")
