"""Measure memory and time of a training step by batch size, and find the largest batch that fits."""

from medscale.files.tables import write_table
from medscale.sparse_ct.step_costs import find_largest_batches, measure_steps
from medscale.training.device import choose_device
from workflow_scripts.job import job

with job(snakemake) as this:
    this.device = choose_device(this.gpus, this.cfg["torch_threads"])
    denoiser, memory = this.cfg["denoiser"], this.cfg["memory"]
    write_table(measure_steps(denoiser, memory["batch_sizes"], this.device), snakemake.output.steps)
    largest = find_largest_batches(denoiser, memory["budget_gb"], max(memory["batch_sizes"]), this.device)
    write_table(largest, snakemake.output.largest)
