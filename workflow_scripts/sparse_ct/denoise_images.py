"""Remove the streaks from the scans of test patients."""

from medscale.sparse_ct.denoiser import denoise_images
from medscale.training.device import choose_device
from medscale.training.models import load_model
from workflow_scripts.job import job

with job(snakemake) as this:
    this.device = choose_device(this.gpus, this.cfg["torch_threads"])
    network, card = load_model(snakemake.input.weights, this.device)
    denoise_images(network, card, snakemake.input.fbp, snakemake.output.images, this.device)
