"""Draw scores over the size of images."""

from medscale.files.pictures import write_figure
from medscale.files.tables import read_table
from medscale.scans.score_figures import draw_image_sizes
from workflow_scripts.job import job

with job(snakemake):
    write_figure(draw_image_sizes(read_table(snakemake.input.table)), snakemake.output.figure)
