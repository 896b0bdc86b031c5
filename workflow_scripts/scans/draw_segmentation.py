"""Draw the course of the trainings by loss, the overlap with and without aid, and what is outlined."""

from medscale.files.pictures import write_figure
from medscale.files.tables import read_table
from medscale.scans.bar_figures import draw_overlaps
from medscale.scans.learning_curves import draw_outline_curves
from medscale.scans.outline_files import read_probabilities
from medscale.scans.prediction_rows import choose_examples, draw_prediction_rows
from medscale.scans.prepared_images import read_prepared_images
from workflow_scripts.job import job

with job(snakemake):
    files, out = snakemake.input, snakemake.output
    write_figure(draw_outline_curves(read_table(files.histories)), out.trainings)
    write_figure(draw_overlaps(read_table(files.table)), out.overlap)
    kinds = ("plain", "aided")
    scores = dict(zip(kinds, [read_table(path) for path in files.scores], strict=True))
    probabilities = dict(zip(kinds, [read_probabilities(path) for path in files.outlines], strict=True))
    examples = choose_examples(scores["plain"], 2)
    rows = draw_prediction_rows(examples, read_prepared_images(files.images), probabilities, scores)
    write_figure(rows, out.outlines)
