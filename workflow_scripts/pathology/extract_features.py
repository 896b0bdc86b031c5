"""Describe each heatmap by the 11 features of the thesis."""

from medscale.files.tables import write_table
from medscale.pathology.lesions import tabulate_features
from workflow_scripts.job import job

with job(snakemake) as this:
    heatmaps = dict(zip(snakemake.params.slides, snakemake.input.heatmaps, strict=True))
    write_table(tabulate_features(heatmaps, **this.cfg["lesions"]), snakemake.output.features)
