"""Measure what resizing does to labels."""

from medscale.files.tables import write_table
from medscale.kits19.label_damage import measure_label_damage, summarise_damage
from workflow_scripts.job import job

with job(snakemake) as this:
    segmentations = dict(zip(snakemake.params.cases, snakemake.input.segmentations, strict=True))
    damage = measure_label_damage(segmentations, this.cfg["damage_sizes_px"])
    write_table(damage, snakemake.output.cases)
    write_table(summarise_damage(damage), snakemake.output.summary)
