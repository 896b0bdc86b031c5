"""Score the report's classifier on every collection, where copies are kept apart and where they leak."""

from medscale.files.tables import read_json, read_table, write_table
from medscale.scans.classification_table import tabulate_classification, tabulate_confusion
from medscale.scans.learning_curves import collect_classifier_histories
from medscale.scans.trainings import Training, by_training, runs_of
from workflow_scripts.job import job

with job(snakemake) as this:
    files, out = snakemake.input, snakemake.output
    trainings = [Training(**row) for row in snakemake.params.trainings]
    predictions = by_training(trainings, [read_table(path) for path in files.predictions])
    table = tabulate_classification(trainings, predictions, this.cfg["bootstrap_samples"], this.cfg["seed"])
    write_table(table, out.table)
    write_table(tabulate_confusion(trainings, predictions), out.confusion)
    names, seeds = zip(*runs_of(trainings), strict=True)
    histories = [read_json(path)["history"] for path in files.cards]
    write_table(collect_classifier_histories(names, seeds, histories), out.histories)
