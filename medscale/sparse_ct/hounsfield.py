"""What stands outside the scanned field of a CT image."""

from pathlib import Path

import numpy as np

from medscale.files.hounsfield import check_hu

AIR_HU = -1000.0
# Scanners fill what lies outside their field with less than any matter has.
LOWEST_HU = -1024.0


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
        If the values cannot be HU, as `check_hu` says.
    """
    check_hu(hu, path)
    return np.where(hu < LOWEST_HU, np.float32(AIR_HU), hu)
