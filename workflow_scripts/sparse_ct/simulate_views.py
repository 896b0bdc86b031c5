"""Scan images with few views, and reconstruct them."""

from medscale.sparse_ct.scan_files import simulate_views
from medscale.sparse_ct.simulation import SimulationSettings
from medscale.training.device import choose_device
from workflow_scripts.job import job

with job(snakemake) as this:
    choose_device(this.gpus, this.cfg["torch_threads"])
    simulate_views(
        snakemake.params.images,
        snakemake.input.images,
        snakemake.params.views,
        snakemake.output.sinograms,
        snakemake.output.fbp,
        SimulationSettings(**this.cfg["simulation"]),
        this.cfg["seed"],
    )
