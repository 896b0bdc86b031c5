"""What plausible Hounsfield units are, and what stands outside the scanned field."""

from pathlib import Path

import numpy as np

from medscale.errors import InputError

AIR_HU = -1000.0
# Scanners fill what lies outside their field with less than any matter has.
LOWEST_HU = -1024.0
# The widest ranges that 16-bit scanners store, and air that every slice of a patient has around it.
STORED_RANGE_HU = (-8192.0, 31743.0)
SURE_AIR_HU = -500.0


def clean_hu(hu: np.ndarray, path: str | Path) -> np.ndarray:
    """Return `hu` with values below -1024 HU set to air.

    Parameters
    ----------
    hu : ndarray of float32, any shape
    path : str or Path
        The file that the values came from, for messages.

    Raises
    ------
    InputError
        If a value is not finite, or the values cannot be HU: out of range, or without any air.
    """
    lowest, highest = float(hu.min()), float(hu.max())
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        count = int((~np.isfinite(hu)).sum())
        raise _refuse(path, f"{count} values that are no number (NaN or infinite)")
    if lowest < STORED_RANGE_HU[0] or highest > STORED_RANGE_HU[1]:
        raise _refuse(path, f"values from {lowest:.6g} to {highest:.6g}, far out of range")
    if lowest > SURE_AIR_HU:
        raise _refuse(path, f"values from {lowest:.6g} to {highest:.6g}, without any air")
    return np.where(hu < LOWEST_HU, np.float32(AIR_HU), hu)


def _refuse(path: str | Path, found: str) -> InputError:
    expected = f"Hounsfield units from {STORED_RANGE_HU[0]:.0f} to {STORED_RANGE_HU[1]:.0f} with air around"
    mend = "Give the volume as it came from the scanner, with its slope and intercept, or leave it out."
    return InputError(path, found, expected, mend)
