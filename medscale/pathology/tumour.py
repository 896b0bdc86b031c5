"""Where a slide holds tumour, by whatever annotation it has."""

from pathlib import Path

from medscale.files.rasters import Raster, read_raster
from medscale.pathology.annotations import rasterise_outlines, read_asap, read_tumour_mask
from medscale.pathology.slides import Slide


def mask_tumour(
    slide: Slide, annotation: str | Path, *, um_px: float, annotation_groups: dict[str, list[str]]
) -> Raster:
    """Return the annotated tumour of a slide, on the grid of its tissue mask.

    Parameters
    ----------
    annotation : str or Path
        ASAP XML, or a mask TIFF.
    um_px : float
        Resolution of the mask, in µm per pixel.
    annotation_groups : dict
        Names of the XML's groups, see `read_asap`.

    Returns
    -------
    Raster of uint8, 0 or 1

    Raises
    ------
    InputError
        See `read_asap`, `rasterise_outlines` and `read_tumour_mask`.
    """
    if Path(annotation).suffix.lower() == ".xml":
        outlines = read_asap(annotation, annotation_groups)
        return rasterise_outlines(outlines, slide.width, slide.height, slide.um_px, um_px, annotation)
    return read_tumour_mask(annotation, slide.width, slide.height, slide.um_px, um_px)


def share_of_tissue(tissue_path: str | Path, tumour_path: str | Path) -> float:
    """Return the share of a slide's tissue that is tumour, from its two masks on one grid."""
    tissue, tumour = read_raster(tissue_path).values > 0, read_raster(tumour_path).values > 0
    return float((tissue & tumour).sum() / tissue.sum())
