"""List the subjects whose images and scores can be used, and warn of the others."""

from medscale.files.tables import write_table
from medscale.scans.subjects import choose_subjects
from workflow_scripts.job import job

with job(snakemake):
    files, params = snakemake.input, snakemake.params
    subjects = choose_subjects(files.sheet, files.schema, **params.choice, made_by_rules=params.made_by_rules)
    write_table(subjects, snakemake.output.subjects)
