"""Put networks and methods on hand-made features side by side, and say what shortcuts and heads bring."""

from medscale.files.tables import read_json, read_table, write_table
from medscale.scans.architecture_table import compare_parts, tabulate_architectures
from medscale.scans.learning_curves import collect_classifier_histories
from medscale.scans.trainings import Training, by_training, runs_of
from workflow_scripts.job import job

with job(snakemake) as this:
    files, out, params = snakemake.input, snakemake.output, snakemake.params
    trainings = [Training(**row) for row in params.trainings]
    networks = [training for training in trainings if training.name in params.networks]
    every_card = [read_json(path) for path in files.cards]
    cards = {name: own[0] for name, own in by_training(networks, every_card).items()}
    predictions = by_training(trainings, [read_table(path) for path in files.predictions])
    facts = trainings, cards, predictions, this.cfg["bootstrap_samples"], this.cfg["seed"]
    write_table(tabulate_architectures(*facts), out.table)
    write_table(compare_parts(*facts), out.parts)
    names, seeds = zip(*runs_of(networks), strict=True)
    histories = [card["history"] for card in every_card]
    write_table(collect_classifier_histories(names, seeds, histories), out.histories)
