"""Train with one batch schedule, from the trunk on where both are the same until then."""

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
        DenoiserSettings.of(this.cfg, row, f"{row['table']}/{row['sizes']}"),
        seed=derive_seed(this.cfg["seed"], "denoiser", row["seed"]),
        device=this.device,
        checkpoints=this.checkpoints(*files),
        start=files.start or None,
    )
    save_model(network, card, snakemake.output.weights)
