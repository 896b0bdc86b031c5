"""Numbers that describe a grey image, of the kinds in use before networks learnt their own.

Grey values (histogram and moments), texture (Haralick's grey-level co-occurrence matrices, IEEE Transactions
on Systems, Man, and Cybernetics 3(6), 1973; local binary patterns, Ojala et al., IEEE TPAMI 24(7), 2002) and
shape (histograms of oriented gradients, Dalal and Triggs, CVPR 2005). None of them is chosen or tuned for a
collection.
"""

import numpy as np
from skimage.feature import graycomatrix, graycoprops, hog, local_binary_pattern

from medscale.scans.images import resize_grey, to_unit

BINS = 16
LEVELS, DISTANCES_PX = 32, (1, 2, 4)
ANGLES = (0, np.pi / 4, np.pi / 2, 3 * np.pi / 4)
TEXTURES = ("contrast", "dissimilarity", "homogeneity", "energy", "correlation", "entropy")
# Radius in pixels and number of neighbours of each pattern.
PATTERNS = ((1, 8), (2, 16))
# Gradients are taken of a small image, so that images of all sizes have as many of them.
GRADIENT_PX, CELL_PX, CELLS_OF_BLOCK, ORIENTATIONS = 64, 16, 2, 8


def describe_image(image: np.ndarray) -> dict[str, float]:
    """Return all features of an image by their names.

    Parameters
    ----------
    image : ndarray of uint8, shape (rows, columns)

    Returns
    -------
    dict of str to float
        Finite for any image, one of a single grey value included; always the same names.
    """
    return (
        describe_grey_values(image)
        | describe_texture(image)
        | describe_patterns(image)
        | describe_gradients(image)
    )


def describe_grey_values(image: np.ndarray) -> dict[str, float]:
    """Return the histogram (shares of 16 bins), mean, standard deviation, skewness and excess kurtosis.

    Grey values count from 0 to 1. Skewness and kurtosis of a single grey value are 0.
    """
    values = to_unit(image).ravel().astype(float)
    shares = np.histogram(values, BINS, (0, 1))[0] / values.size
    spread = values.std()
    standard = (values - values.mean()) / spread if spread else np.zeros_like(values)
    moments = {
        "grey_mean": values.mean(),
        "grey_sd": spread,
        "grey_skewness": (standard**3).mean(),
        "grey_kurtosis": (standard**4).mean() - 3 if spread else 0.0,
    }
    return _number("grey_histogram", shares) | {name: float(value) for name, value in moments.items()}


def describe_texture(image: np.ndarray) -> dict[str, float]:
    """Return Haralick's features of co-occurring grey values, by the distance of the pixels.

    Mean and range over four directions, as Haralick takes them, of symmetric matrices of 32 grey values.
    """
    coarse = image // (256 // LEVELS)
    matrices = graycomatrix(coarse, DISTANCES_PX, ANGLES, LEVELS, symmetric=True, normed=True)
    features = {}
    for name in TEXTURES:
        # Shape (distances, directions).
        for distance, values in zip(DISTANCES_PX, graycoprops(matrices, name), strict=True):
            features[f"texture_{name}_{distance}px_mean"] = float(values.mean())
            features[f"texture_{name}_{distance}px_range"] = float(np.ptp(values))
    return features


def describe_patterns(image: np.ndarray) -> dict[str, float]:
    """Return the shares of uniform local binary patterns, which do not change when an image is turned."""
    features = {}
    for radius, neighbours in PATTERNS:
        patterns = local_binary_pattern(image, neighbours, radius, method="uniform").astype(int)
        counts = np.bincount(patterns.ravel(), minlength=neighbours + 2)
        features |= _number(f"pattern_{radius}px", counts / patterns.size)
    return features


def describe_gradients(image: np.ndarray) -> dict[str, float]:
    """Return histograms of oriented gradients of the image at 64 x 64 pixels, in cells of 16 pixels."""
    values = hog(
        to_unit(resize_grey(image, GRADIENT_PX)),
        orientations=ORIENTATIONS,
        pixels_per_cell=(CELL_PX, CELL_PX),
        cells_per_block=(CELLS_OF_BLOCK, CELLS_OF_BLOCK),
        block_norm="L2-Hys",
    )
    return _number("gradient", values)


def _number(name: str, values: np.ndarray) -> dict[str, float]:
    return {f"{name}_{number}": float(value) for number, value in enumerate(values)}
