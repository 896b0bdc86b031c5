"""Which values can be Hounsfield units."""

from pathlib import Path

import numpy as np

from medscale.errors import InputError

# The widest ranges that 16-bit scanners store, and air that every slice of a patient has around it.
STORED_RANGE_HU = (-8192.0, 31743.0)
SURE_AIR_HU = -500.0


def check_hu(values: np.ndarray, path: str | Path) -> None:
    """Raise an `InputError` for values that cannot be HU: not finite, out of range, or without any air.

    Parameters
    ----------
    values : ndarray of any real type and shape
    path : str or Path
        The file that the values came from, for the message.
    """
    lowest, highest = float(values.min()), float(values.max())
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        count = int((~np.isfinite(values)).sum())
        raise _refuse(path, f"{count} values that are no number (NaN or infinite)")
    if lowest < STORED_RANGE_HU[0] or highest > STORED_RANGE_HU[1]:
        raise _refuse(path, f"values from {lowest:.6g} to {highest:.6g}, far out of range")
    if lowest > SURE_AIR_HU:
        raise _refuse(path, f"values from {lowest:.6g} to {highest:.6g}, without any air")


def _refuse(path: str | Path, found: str) -> InputError:
    expected = f"Hounsfield units from {STORED_RANGE_HU[0]:.0f} to {STORED_RANGE_HU[1]:.0f} with air around"
    mend = "Give the volume as it came from the scanner, with its slope and intercept, or leave it out."
    return InputError(path, found, expected, mend)
