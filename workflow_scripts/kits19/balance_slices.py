"""Choose the slices and blocks that networks are trained on, and the weights of their classes."""

from medscale.files.tables import write_json, write_table
from medscale.kits19.balancing import SampleSettings, balance_cases
from workflow_scripts.job import job

with job(snakemake) as this:
    settings = SampleSettings(**this.cfg["balancing"])
    samples = balance_cases(snakemake.input.cases, settings, this.cfg["seed"])
    write_table(samples.slices, snakemake.output.slices)
    write_table(samples.blocks, snakemake.output.blocks)
    write_json(samples.weights, snakemake.output.weights)
