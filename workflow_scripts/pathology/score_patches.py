"""Score patches of the test patients, with the network and with a threshold on colour."""

import pandas as pd

from medscale.files.tables import read_table, write_table
from medscale.pathology.patch_data import SlideFiles
from medscale.pathology.patch_scores import score_test_patches
from medscale.training.device import choose_device
from medscale.training.models import load_model
from workflow_scripts.job import job

with job(snakemake) as this:
    this.device = choose_device(this.gpus, this.cfg["torch_threads"])
    network, _ = load_model(snakemake.input.weights, this.device)
    scores = score_test_patches(
        network,
        pd.concat([read_table(path) for path in snakemake.input.grids]),
        read_table(snakemake.input.manifest),
        SlideFiles.of(snakemake.params.slides, snakemake.input.slides, this.cfg["fallback_um_px"]),
        patches_per_slide=this.cfg["patches_per_slide"],
        seed=this.cfg["seed"],
    )
    write_table(scores, snakemake.output.scores)
