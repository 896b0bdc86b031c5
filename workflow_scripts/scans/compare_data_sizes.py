"""Tabulate accuracy by the number of training images."""

from medscale.files.tables import read_table, write_table
from medscale.scans.size_tables import tabulate_data_sizes
from medscale.scans.trainings import Training, by_training, seed_of_run
from workflow_scripts.job import job

with job(snakemake) as this:
    trainings = [Training(**row) for row in snakemake.params.trainings]
    most = max((training.seeds for training in trainings), default=0)
    table = tabulate_data_sizes(
        trainings,
        by_training(trainings, [read_table(path) for path in snakemake.input.predictions]),
        [seed_of_run(this.cfg["seed"], number) for number in range(most)],
        this.cfg["bootstrap_samples"],
        this.cfg["seed"],
    )
    write_table(table, snakemake.output.table)
