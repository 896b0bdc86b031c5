"""Paint breast ultrasound images with the masks of their lesions."""

from medscale.phantoms.breast_ultrasound import write_breast
from workflow_scripts.job import job

with job(snakemake) as this:
    for path in snakemake.output.images:
        write_breast(path, this.cfg["seed"])
