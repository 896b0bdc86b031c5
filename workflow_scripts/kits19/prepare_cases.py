"""Read, check, window and resize cases."""

from medscale.kits19.prepare import PrepareSettings, prepare_cases
from workflow_scripts.job import job

with job(snakemake) as this:
    prepare_cases(snakemake.params.rows, snakemake.output.cases, PrepareSettings(**this.cfg["prepare"]))
