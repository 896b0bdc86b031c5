"""Train at batch size 1 to the end, and keep the states from which growing batches branch off."""

from medscale.seeds import derive_seed
from medscale.sparse_ct.denoiser import DenoiserSettings, PairFiles, train_denoiser
from medscale.training.device import choose_device
from medscale.training.models import save_model
from workflow_scripts.job import job

with job(snakemake) as this:
    this.device = choose_device(this.gpus, this.cfg["torch_threads"])
    row, files = snakemake.params.row, snakemake.input
    network, card = train_denoiser(
        PairFiles(files.train, files.train_originals),
        PairFiles(files.validation, files.validation_originals),
        DenoiserSettings.of(this.cfg, row, "fixed/1"),
        seed=derive_seed(this.cfg["seed"], "denoiser", row["seed"]),
        device=this.device,
        checkpoints=this.checkpoints(*files),
        keep=dict(zip(snakemake.params.epochs, snakemake.output.states, strict=True)),
    )
    save_model(network, card, snakemake.output.weights)
