"""Train the network that removes the streaks of scans with so many views."""

from medscale.seeds import derive_seed
from medscale.sparse_ct.denoiser import DenoiserSettings, PairFiles, train_denoiser
from medscale.training.device import choose_device
from medscale.training.models import save_model
from workflow_scripts.job import job

with job(snakemake) as this:
    this.device = choose_device(this.gpus, this.cfg["torch_threads"])
    files, schedule = snakemake.input, this.cfg["denoiser"]["schedule"]
    network, card = train_denoiser(
        PairFiles(files.train, files.train_originals),
        PairFiles(files.validation, files.validation_originals),
        DenoiserSettings.of(this.cfg, snakemake.params.row, schedule),
        seed=derive_seed(this.cfg["seed"], "denoiser", 0),
        device=this.device,
        checkpoints=this.checkpoints(*files),
    )
    save_model(network, card, snakemake.output.weights)
