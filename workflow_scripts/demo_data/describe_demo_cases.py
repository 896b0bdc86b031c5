"""Write what KiTS19's kits.json says of the demo patients."""

from medscale.files.tables import write_json
from medscale.phantoms.kidney_files import describe_cases
from workflow_scripts.job import job

with job(snakemake) as this:
    size_px = int(snakemake.params.row["size"])
    write_json(describe_cases(snakemake.params.cases, size_px, this.cfg["seed"]), snakemake.output.clinical)
