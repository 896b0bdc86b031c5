"""Paint one slide of a lymph node."""

from medscale.phantoms.slide_files import write_slide
from medscale.phantoms.slide_plan import plan_slide
from workflow_scripts.job import job

with job(snakemake) as this:
    write_slide(plan_slide(**snakemake.params.row, seed=this.cfg["seed"]), snakemake.output.slide)
