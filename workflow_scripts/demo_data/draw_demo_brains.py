"""Paint brain MR images."""

from medscale.phantoms.brain_mri import write_brain
from workflow_scripts.job import job

with job(snakemake) as this:
    for path in snakemake.output.images:
        write_brain(path, this.cfg["seed"])
