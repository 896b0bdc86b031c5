"""Draw accuracy over the number of training images."""

from medscale.files.pictures import write_figure
from medscale.files.tables import read_table
from medscale.scans.score_figures import draw_data_sizes
from workflow_scripts.job import job

with job(snakemake):
    write_figure(draw_data_sizes(read_table(snakemake.input.table)), snakemake.output.figure)
