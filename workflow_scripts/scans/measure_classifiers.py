"""Tabulate training time, memory of a training step and inference time of all networks."""

from medscale.files.tables import read_json, write_table
from medscale.scans.architecture_costs import measure_classifiers
from medscale.scans.trainings import Training, by_training
from medscale.training.device import choose_device
from workflow_scripts.job import job

with job(snakemake) as this:
    this.device = choose_device(this.gpus, this.cfg["torch_threads"])
    files, params = snakemake.input, snakemake.params
    trainings = [Training(**row) for row in params.trainings]
    networks = [training for training in trainings if training.name in params.networks]
    cards = {name: read_json(own[0]) for name, own in by_training(networks, files.cards).items()}
    written = by_training(trainings, files.predictions) | by_training(networks, files.weights)
    write_table(measure_classifiers(trainings, cards, written, this.device), snakemake.output.table)
