"""Find the tissue of a slide."""

from medscale.files.pictures import write_picture
from medscale.files.rasters import write_raster
from medscale.pathology.slides import Slide
from medscale.pathology.tissue import mask_tissue, outline_tissue
from workflow_scripts.job import job

with job(snakemake) as this, Slide(snakemake.input.slide, this.cfg["fallback_um_px"]) as slide:
    mask = mask_tissue(slide, **this.cfg["tissue"])
    write_raster(mask, snakemake.output.mask)
    write_picture(outline_tissue(slide.overview(mask.um_px), mask), snakemake.output.picture)
