"""Paint the CT of one patient."""

from medscale.phantoms.ct import draw_ct
from medscale.sparse_ct.images import CtImage, write_image
from workflow_scripts.job import job

with job(snakemake) as this:
    row = snakemake.params.row
    ct = draw_ct(row["patient"], int(row["size"]), int(row["slices"]), this.cfg["seed"])
    write_image(CtImage.of_slices(ct.hu, ct.pixel_mm, ct.slice_mm), snakemake.output.image)
