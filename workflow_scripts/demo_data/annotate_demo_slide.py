"""Write the outlines of a demo slide's lesions as ASAP XML."""

from medscale.phantoms.slide_files import write_annotation
from medscale.phantoms.slide_plan import plan_slide
from workflow_scripts.job import job

with job(snakemake) as this:
    plan = plan_slide(**snakemake.params.row, seed=this.cfg["seed"])
    write_annotation(plan, snakemake.output.annotation)
