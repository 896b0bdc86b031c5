"""Reconstruct the scans of test patients with total variation."""

from medscale.files.tables import read_table
from medscale.sparse_ct.tv_files import reconstruct_tv_files
from medscale.training.device import choose_device
from workflow_scripts.job import job

with job(snakemake) as this:
    choose_device(this.gpus, this.cfg["torch_threads"])
    reconstruct_tv_files(
        snakemake.input.sinograms,
        snakemake.input.fbp,
        read_table(snakemake.input.weights),
        this.cfg["iterations"],
        snakemake.output.images,
    )
