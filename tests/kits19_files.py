"""Small KiTS19 cases for tests, written with nibabel alone."""

import nibabel
import numpy as np
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, ornt_transform

AFFINE = np.array([[0, 0, -0.8, 30.0], [0, -0.9, 0, 20], [-3, 0, 0, 10], [0, 0, 0, 1]])
SHAPE = (7, 24, 20)


def make_hu(shape=SHAPE, seed=0):
    """Return HU, int16: air around a body with noise, unlike any of its mirror images."""
    where = np.meshgrid(*(np.linspace(-1, 1, length) for length in shape), indexing="ij")
    body = where[1] ** 2 + where[2] ** 2 < 0.7
    noise = np.random.default_rng(seed).integers(-20, 20, shape)
    return np.where(body, 40 + 30 * where[0] + 60 * where[1] + 90 * where[2] + noise, -1000).astype(np.int16)


def make_labels(shape=SHAPE):
    """Return labels, uint8: a kidney with a tumour at its end, on one side, in the middle slices."""
    labels = np.zeros(shape, np.uint8)
    rows, columns = shape[1] // 3, shape[2] // 5
    labels[2:6, rows : 2 * rows, columns : 2 * columns] = 1
    labels[4:6, rows : rows + 4, columns : columns + 3] = 2
    return labels


def write_volume(path, values, affine=AFFINE, **header):
    """Write values in the axes of KiTS19; `header` sets fields of the header afterwards."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(values, affine, dtype=values.dtype)
    for field, value in header.items():
        image.header[field] = value
    nibabel.save(image, path)
    return path


def turn(values, affine, axes):
    """Return values and affine in other axes, such as "LPS", at the same place in space."""
    order = ornt_transform(axcodes2ornt("IPL"), axcodes2ornt(axes))
    return apply_orientation(values, order), affine @ inv_ornt_aff(order, values.shape)


def write_case(folder, hu=None, labels=None, affine=AFFINE):
    """Write `imaging.nii.gz` and `segmentation.nii.gz`; return their paths."""
    hu = make_hu() if hu is None else hu
    labels = make_labels() if labels is None else labels
    return (
        write_volume(folder / "imaging.nii.gz", hu, affine),
        write_volume(folder / "segmentation.nii.gz", labels, affine),
    )
