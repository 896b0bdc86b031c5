"""Read all images of a collection with their masks, once, and stretch them to squares."""

from medscale.scans.prepared_images import prepare_images
from workflow_scripts.job import job

with job(snakemake):
    rows = snakemake.params
    prepare_images(
        rows.images,
        rows.paths,
        rows.masks,
        int(rows.row["size"]),
        snakemake.output.images,
        workers=snakemake.threads,
    )
