"""Tabulate training time, memory of a training step and inference time of all networks."""

from medscale.files.tables import read_json, read_table, write_table
from medscale.kits19.segmenter_costs import measure_segmenters
from medscale.training.device import choose_device
from workflow_scripts.job import job

with job(snakemake) as this:
    this.device = choose_device(this.gpus, this.cfg["torch_threads"])
    files = snakemake.input
    table = measure_segmenters(
        [run["network"] for run in snakemake.params.runs],
        [read_json(path) for path in files.cards],
        files.weights,
        [read_table(path) for path in files.inferences],
        this.device,
    )
    write_table(table, snakemake.output.table)
