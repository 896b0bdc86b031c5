"""Paint T1 and FLAIR volumes of heads."""

from medscale.phantoms.brain_volumes import write_subject
from workflow_scripts.job import job

with job(snakemake) as this:
    rows, out = snakemake.params.rows, snakemake.output
    for subject, label, t1, flair in zip(rows["subject"], rows["class"], out.t1, out.flair, strict=True):
        write_subject(subject, label, t1, flair, this.cfg["seed"])
