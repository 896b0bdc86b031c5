"""Train the network that tells tumour patches from normal ones."""

import pandas as pd

from medscale.files.pictures import write_figure
from medscale.files.tables import read_table, write_table
from medscale.pathology.patch_classifier import TrainingSettings, train_classifier
from medscale.pathology.patch_data import SlideFiles
from medscale.seeds import derive_seed
from medscale.training.device import choose_device
from medscale.training.history_figure import draw_history
from medscale.training.models import save_model
from workflow_scripts.job import job

with job(snakemake) as this:
    this.device = choose_device(this.gpus, this.cfg["torch_threads"])
    network, card = train_classifier(
        read_table(snakemake.input.manifest),
        pd.concat([read_table(path) for path in snakemake.input.validation]),
        SlideFiles.of(snakemake.params.slides, snakemake.input.slides, this.cfg["fallback_um_px"]),
        TrainingSettings(network=this.cfg["network"], **this.cfg["training"]),
        seed=derive_seed(this.cfg["seed"], "train", snakemake.params.row["repetition"]),
        device=this.device,
        checkpoints=this.checkpoints(snakemake.input.manifest, *snakemake.input.code),
    )
    save_model(network, card, snakemake.output.weights)
    history = pd.DataFrame(card.history)
    write_table(history, snakemake.output.history)
    write_figure(draw_history(history), snakemake.output.figure)
