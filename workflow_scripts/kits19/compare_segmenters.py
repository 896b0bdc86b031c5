"""Put the networks side by side, with the floors below and the thesis's numbers beside."""

from medscale.files.tables import read_json, read_table, write_json, write_table
from medscale.kits19.comparison import TrainedNetwork, compare_segmenters
from medscale.kits19.evaluation import flatten_metrics
from medscale.kits19.training_figure import collect_histories
from medscale.kits19.tumour_volumes import collect_tumours, correlate, tabulate_bands
from workflow_scripts.job import job

with job(snakemake) as this:
    files, out, runs = snakemake.input, snakemake.output, snakemake.params.runs
    networks, seeds = ([run[key] for run in runs] for key in ("network", "seed"))
    cards = [read_json(path) for path in files.cards]
    scores = [read_table(path) for path in files.scores]
    comparison = compare_segmenters(
        [TrainedNetwork.of(run, card) for run, card in zip(runs, cards, strict=True)],
        scores,
        read_table(files.floors),
        read_json(files.weights)["slices"]["class_weights"],
        this.cfg["bootstrap_samples"],
        this.cfg["seed"],
    )
    tumours = collect_tumours(networks, scores)
    write_table(comparison, out.table)
    write_table(tumours, out.tumours)
    write_table(tabulate_bands(tumours, this.cfg["tumour_bands_ml"]), out.bands)
    write_table(collect_histories(networks, seeds, [card["history"] for card in cards]), out.histories)
    write_json(flatten_metrics(comparison, correlate(tumours)), out.metrics)
