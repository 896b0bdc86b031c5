"""Compare the ways of reconstruction for each number of views."""

import pandas as pd

from medscale.files.tables import read_table, write_json, write_table
from medscale.sparse_ct.evaluation import flatten_metrics
from medscale.sparse_ct.quality_table import summarise
from workflow_scripts.job import job

with job(snakemake) as this:
    scores = pd.concat([read_table(path) for path in snakemake.input.scores], ignore_index=True)
    table = summarise(scores, this.cfg["bootstrap_samples"], this.cfg["seed"])
    write_table(table, snakemake.output.table)
    write_json(flatten_metrics(table, read_table(snakemake.input.growth)), snakemake.output.metrics)
