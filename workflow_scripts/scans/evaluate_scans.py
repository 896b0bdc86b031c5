"""Put the scores of all parts of the study into one file of flat numbers."""

from medscale.files.tables import read_table, write_json
from medscale.scans.scan_metrics import flatten_metrics
from workflow_scripts.job import job

with job(snakemake):
    tables = {part: read_table(snakemake.input[part]) for part in snakemake.params.tables}
    write_json(flatten_metrics(**tables), snakemake.output.metrics)
