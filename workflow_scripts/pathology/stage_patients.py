"""Combine the slide classes of each patient into the pN stage."""

from medscale.files.tables import read_table, write_table
from medscale.pathology.staging import stage_patients
from workflow_scripts.job import job

with job(snakemake):
    write_table(stage_patients(read_table(snakemake.input.classes)), snakemake.output.stages)
