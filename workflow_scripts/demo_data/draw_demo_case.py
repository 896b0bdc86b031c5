"""Paint the CT of one patient with a tumour of the kidney, and its labels."""

from medscale.phantoms.kidney_files import write_case
from medscale.phantoms.kidneys import plan_case
from workflow_scripts.job import job

with job(snakemake) as this:
    row = snakemake.params.row
    size_px = int(row["size"])
    plan = plan_case(row["case"], size_px, this.cfg["seed"])
    write_case(plan, size_px, snakemake.output.imaging, snakemake.output.segmentation)
