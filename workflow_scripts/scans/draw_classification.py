"""Draw the course of the classifier's trainings, and what it takes for what."""

from medscale.files.pictures import write_figure
from medscale.files.tables import read_table
from medscale.scans.confusion_figure import draw_confusions
from medscale.scans.learning_curves import draw_classifier_curves
from workflow_scripts.job import job

with job(snakemake):
    files, out = snakemake.input, snakemake.output
    write_figure(draw_classifier_curves(read_table(files.histories)), out.trainings)
    write_figure(draw_confusions(read_table(files.confusion)), out.confusion)
