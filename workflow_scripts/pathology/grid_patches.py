"""List the patches of a slide with their share of tissue and tumour, and their label."""

from medscale.files.rasters import read_raster
from medscale.files.tables import write_table
from medscale.pathology.patches import GridSettings, grid_patches
from medscale.pathology.slides import Slide
from workflow_scripts.job import job

with job(snakemake) as this, Slide(snakemake.input.slide, this.cfg["fallback_um_px"]) as slide:
    row = snakemake.params.row
    tumour = read_raster(snakemake.input.tumour) if row["annotation"] else None
    tissue = read_raster(snakemake.input.tissue)
    settings = GridSettings(**this.cfg["patches"])
    grid = grid_patches(row["slide"], slide, tissue, tumour, label=row["label"], settings=settings)
    write_table(grid, snakemake.output.grid)
