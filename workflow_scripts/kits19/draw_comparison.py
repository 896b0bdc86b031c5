"""Draw the scores of all networks, Dice by the volume of tumours, and the course of the trainings."""

from medscale.files.pictures import write_figure
from medscale.files.tables import read_table
from medscale.kits19.comparison_figure import draw_comparison
from medscale.kits19.training_figure import draw_trainings
from medscale.kits19.volume_figure import draw_volumes
from workflow_scripts.job import job

with job(snakemake):
    files, out = snakemake.input, snakemake.output
    write_figure(draw_comparison(read_table(files.table)), out.comparison)
    write_figure(draw_volumes(read_table(files.tumours)), out.volumes)
    write_figure(draw_trainings(read_table(files.histories)), out.trainings)
