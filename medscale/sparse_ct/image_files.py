"""Images of the sheet as files in Hounsfield units, the form in which all other steps read them."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from medscale.errors import InputError, summarise_errors
from medscale.files.volumes import read_nifti
from medscale.sparse_ct.images import CtImage, read_image, write_image
from medscale.sparse_ct.sheets import png_scale

log = logging.getLogger(__name__)


def convert_images(rows: Mapping[str, Sequence[str]], paths: Sequence[str | Path]) -> None:
    """Read and check the images of a sheet's rows, and write them in HU as uncompressed NIfTI.

    Parameters
    ----------
    rows : mapping of str to sequence of str
        The sheet's columns `image`, `path` and those of `png_scale`.

    Raises
    ------
    InputError
        After all images were tried, if one or more are refused.
    """
    refused = []
    for values, path in zip(zip(*rows.values(), strict=True), paths, strict=True):
        row = dict(zip(rows, values, strict=True))
        try:
            image = read_image(row["path"], png_scale(row))
        except InputError as error:
            log.error("%s", error)
            refused.append(error)
            continue
        low, high = image.hu.min(), image.hu.max()
        log.info("%s: %d slices of %d px, %.0f to %.0f HU", row["image"], *image.hu.shape[:2], low, high)
        write_image(image, path)
    if refused:
        raise summarise_errors(refused)


def read_stored(path: str | Path) -> CtImage:
    """Return an image that this workflow wrote; it was checked before."""
    return CtImage.from_volume(read_nifti(path))
