"""Draw what images and demographic scores tell, each alone and together."""

from medscale.files.pictures import write_figure
from medscale.files.tables import read_table
from medscale.scans.bar_figures import draw_ablation
from workflow_scripts.job import job

with job(snakemake):
    write_figure(draw_ablation(read_table(snakemake.input.table)), snakemake.output.figure)
