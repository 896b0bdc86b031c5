"""Turn the outlines of an annotated slide into a mask."""

from medscale.files.pictures import write_picture
from medscale.files.rasters import read_raster, write_raster
from medscale.pathology.slides import Slide
from medscale.pathology.tissue import outline_tissue
from medscale.pathology.tumour import mask_tumour
from workflow_scripts.job import job

with job(snakemake) as this, Slide(snakemake.input.slide, this.cfg.pop("fallback_um_px")) as slide:
    mask = mask_tumour(slide, snakemake.input.annotation, **this.cfg)
    write_raster(mask, snakemake.output.mask)
    picture = outline_tissue(slide.overview(mask.um_px), read_raster(snakemake.input.tissue), mask)
    write_picture(picture, snakemake.output.picture)
