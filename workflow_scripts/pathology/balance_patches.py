"""Draw the patches that the network trains on, and count them before and after."""

import pandas as pd

from medscale.files.pictures import write_figure
from medscale.files.tables import read_table, write_table
from medscale.pathology.balancing import balance_patches, count_patches, draw_counts
from medscale.pathology.tumour import share_of_tissue
from workflow_scripts.job import job

with job(snakemake) as this:
    grid = pd.concat([read_table(path) for path in snakemake.input.grids], ignore_index=True)
    manifest = balance_patches(grid, snakemake.params.row["strategy"], this.cfg["seed"])
    masks = zip(snakemake.params.slides, snakemake.input.tissue, snakemake.input.tumour, strict=True)
    shares = {slide: share_of_tissue(tissue, tumour) for slide, tissue, tumour in masks}
    counts = count_patches(grid, manifest, shares)
    write_table(manifest, snakemake.output.manifest)
    write_table(counts, snakemake.output.counts)
    write_figure(draw_counts(counts), snakemake.output.figure)
