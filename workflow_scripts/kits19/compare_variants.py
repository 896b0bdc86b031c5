"""Put losses, steps of balancing and other variants of one network side by side."""

from medscale.files.tables import read_json, read_table, write_table
from medscale.kits19.comparison import TrainedNetwork, compare_segmenters
from medscale.kits19.training_figure import collect_histories
from workflow_scripts.job import job

with job(snakemake) as this:
    files, runs = snakemake.input, snakemake.params.runs
    cards = [read_json(path) for path in files.cards]
    comparison = compare_segmenters(
        [TrainedNetwork.of(run, card) for run, card in zip(runs, cards, strict=True)],
        [read_table(path) for path in files.scores],
        read_table(files.floors),
        read_json(files.weights)["slices"]["class_weights"],
        this.cfg["bootstrap_samples"],
        this.cfg["seed"],
    )
    networks, seeds = ([run[key] for run in runs] for key in ("network", "seed"))
    write_table(comparison, snakemake.output.table)
    histories = collect_histories(networks, seeds, [card["history"] for card in cards])
    write_table(histories, snakemake.output.histories)
