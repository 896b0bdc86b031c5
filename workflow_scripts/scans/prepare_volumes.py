"""Bring the images of subjects upright and onto one grid, and standardise them."""

from medscale.scans.volumes import prepare_volumes
from workflow_scripts.job import job

with job(snakemake) as this:
    prepare_volumes(
        snakemake.params.images, snakemake.output.volumes, this.cfg["voxel_mm"], this.cfg["shape"]
    )
