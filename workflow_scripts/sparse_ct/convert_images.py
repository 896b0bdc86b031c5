"""Read images, check them, and write them in Hounsfield units."""

from medscale.sparse_ct.image_files import convert_images
from workflow_scripts.job import job

with job(snakemake):
    convert_images(snakemake.params.rows, snakemake.output.images)
