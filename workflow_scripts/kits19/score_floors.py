"""Score predictors that know nothing against the segmentations of the test cases."""

from medscale.files.tables import write_table
from medscale.kits19.score_table import score_floors
from workflow_scripts.job import job

with job(snakemake) as this:
    scores = score_floors(snakemake.params.cases, snakemake.input.segmentations, this.cfg["tolerances_mm"])
    write_table(scores, snakemake.output.scores)
