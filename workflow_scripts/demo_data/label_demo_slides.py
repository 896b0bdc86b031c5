"""Write the labels of slides and patients as CAMELYON17 does."""

from medscale.pathology.sheets import read_sheet_table
from medscale.phantoms.slide_files import write_stage_labels
from workflow_scripts.job import job

with job(snakemake):
    write_stage_labels(read_sheet_table(snakemake.input.sheet), snakemake.output.labels)
