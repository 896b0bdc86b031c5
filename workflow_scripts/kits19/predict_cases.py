"""Label every voxel of the test cases, on the grid of their imaging."""

from medscale.files.tables import write_table
from medscale.kits19.prediction import PredictionSettings, predict_cases
from medscale.training.device import choose_device
from medscale.training.models import load_model
from workflow_scripts.job import job

with job(snakemake) as this:
    this.device = choose_device(this.gpus, this.cfg["torch_threads"])
    files = snakemake.input
    network, card = load_model(files.weights, this.device)
    cost = predict_cases(
        network,
        card,
        files.cases,
        files.imaging,
        snakemake.output.predictions,
        PredictionSettings(**this.cfg["prediction"]),
        this.device,
    )
    write_table(cost, snakemake.output.cost)
