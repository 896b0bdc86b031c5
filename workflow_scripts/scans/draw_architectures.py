"""Draw accuracy over parameters and operations, and the course of all trainings."""

from medscale.files.pictures import write_figure
from medscale.files.tables import read_table
from medscale.scans.learning_curves import draw_classifier_curves
from medscale.scans.score_figures import draw_costs
from workflow_scripts.job import job

with job(snakemake):
    files, out = snakemake.input, snakemake.output
    write_figure(draw_costs(read_table(files.table)), out.costs)
    write_figure(draw_classifier_curves(read_table(files.histories)), out.trainings)
