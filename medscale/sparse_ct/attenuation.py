"""Hounsfield units and linear attenuation."""

import numpy as np
from torch import Tensor

from medscale.sparse_ct.hounsfield import AIR_HU

# Water at 70 keV, about the mean energy of a 120 kVp beam (NIST XCOM), in 1/mm.
MU_WATER = 0.0193


def attenuation(hu: np.ndarray | Tensor) -> np.ndarray | Tensor:
    """Return linear attenuation in 1/mm; nothing attenuates less than air, which is 0."""
    return MU_WATER * (hu.clip(min=AIR_HU) / 1000 + 1)


def hounsfield(mu: np.ndarray | Tensor) -> np.ndarray | Tensor:
    """Return Hounsfield units of linear attenuation in 1/mm."""
    return (mu / MU_WATER - 1) * 1000
