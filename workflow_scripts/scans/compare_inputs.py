"""Tabulate what images tell, what demographic scores tell, and what both do."""

from medscale.files.tables import read_table, write_table
from medscale.scans.volume_table import VolumeRun, compare_inputs
from workflow_scripts.job import job

with job(snakemake) as this:
    table = compare_inputs(
        [VolumeRun(inputs, seed) for inputs, seed in snakemake.params.runs],
        [read_table(path) for path in snakemake.input.predictions],
        this.cfg["bootstrap_samples"],
        this.cfg["seed"],
    )
    write_table(table, snakemake.output.table)
