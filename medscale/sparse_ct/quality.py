"""How close a reconstructed slice comes to its reference: PSNR, SSIM and RMSE."""

import numpy as np
import pandas as pd
from skimage.metrics import structural_similarity

from medscale.errors import InputError
from medscale.sparse_ct.window import normalise

# Wang et al. 2004: Gaussian weights of 1.5 px, cut at 3.5 standard deviations, and population covariances.
SSIM_SIGMA_PX = 1.5
SSIM_SMALLEST_PX = 11
# Of images normalised by the window: the range is the window's, never that of one image.
DATA_RANGE = 1.0
COLUMNS = ["slice", "psnr_db", "ssim", "rmse_hu", "data_range"]


def score_slices(
    reference_hu: np.ndarray, estimate_hu: np.ndarray, window_hu: tuple[float, float]
) -> pd.DataFrame:
    """Score every slice of a reconstruction.

    PSNR and SSIM are those of the images normalised by the window and clipped to it, with a data range of
    `DATA_RANGE`; the RMSE is that of the unclipped HU. All count every pixel, outside the field of view too.

    Parameters
    ----------
    reference_hu, estimate_hu : ndarray, shape (slices, rows, columns)
        Hounsfield units.
    window_hu : (low, high)
        Grey window in HU, the same for every image of a study.

    Returns
    -------
    DataFrame
        One row a slice: `slice` from 0, `psnr_db` (infinite where both images are the same in the window),
        `ssim`, `rmse_hu` and `data_range`.

    Raises
    ------
    InputError
        If the shapes differ, are not those of slices, or are too small for SSIM; if a value is not finite;
        if the window is empty.
    """
    _check(reference_hu, estimate_hu, window_hu)
    rows = []
    for number, (reference, estimate) in enumerate(zip(reference_hu, estimate_hu, strict=True)):
        difference = reference.astype(np.float64) - estimate.astype(np.float64)
        a, b = (normalise(part, window_hu).astype(np.float64) for part in (reference, estimate))
        rows.append((number, psnr(a, b), _ssim(a, b), float(np.sqrt((difference**2).mean())), DATA_RANGE))
    return pd.DataFrame(rows, columns=COLUMNS)


def psnr(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Return the peak signal-to-noise ratio in dB of two normalised images; infinite if they are the same."""
    error = float(((reference - estimate) ** 2).mean())
    return float(10 * np.log10(DATA_RANGE**2 / error)) if error > 0 else float("inf")


def _ssim(reference: np.ndarray, estimate: np.ndarray) -> float:
    return float(
        structural_similarity(
            reference,
            estimate,
            data_range=DATA_RANGE,
            gaussian_weights=True,
            sigma=SSIM_SIGMA_PX,
            use_sample_covariance=False,
        )
    )


def _check(reference_hu: np.ndarray, estimate_hu: np.ndarray, window_hu: tuple[float, float]) -> None:
    where = "reference and reconstruction"
    if not window_hu[0] < window_hu[1]:
        raise InputError(
            "grey window", f"{window_hu[0]:g} to {window_hu[1]:g} HU", "low < high", "Correct the window."
        )
    if reference_hu.shape != estimate_hu.shape or reference_hu.ndim != 3:
        raise InputError(
            where,
            f"shapes {reference_hu.shape} and {estimate_hu.shape}",
            "one shape (slices, rows, columns)",
            "Reconstruct on the grid of the reference.",
        )
    if min(reference_hu.shape[1:]) < SSIM_SMALLEST_PX:
        raise InputError(
            where,
            f"slices of {reference_hu.shape[1]} by {reference_hu.shape[2]} px",
            f"at least {SSIM_SMALLEST_PX} px along each side",
            "Give larger images; the window of SSIM does not fit into these.",
        )
    for name, values in (("reference", reference_hu), ("reconstruction", estimate_hu)):
        finite = np.isfinite(values).all(axis=(1, 2))
        if not finite.all():
            raise InputError(
                name,
                f"NaN or infinity in slice {int(np.argmin(finite))}",
                "finite Hounsfield units",
                "Find out which step made it, and make the image again.",
            )
