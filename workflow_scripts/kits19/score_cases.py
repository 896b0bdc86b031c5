"""Score the predictions of one network against the segmentations of the test cases."""

from medscale.files.tables import write_table
from medscale.kits19.score_table import score_cases
from workflow_scripts.job import job

with job(snakemake) as this:
    files = snakemake.input
    scores = score_cases(
        snakemake.params.cases, files.segmentations, files.predictions, this.cfg["tolerances_mm"]
    )
    write_table(scores, snakemake.output.scores)
