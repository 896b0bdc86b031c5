"""Map the tumour probability of slides."""

from medscale.pathology.heatmaps import SlideToMap, map_slides
from medscale.training.device import choose_device
from medscale.training.models import load_model
from workflow_scripts.job import job

with job(snakemake) as this:
    this.device = choose_device(this.gpus, this.cfg["torch_threads"])
    network, card = load_model(snakemake.input.weights, this.device)
    slides = SlideToMap.pair(
        snakemake.params.slides,
        snakemake.input.slides,
        snakemake.input.tissue,
        snakemake.output.heatmaps,
        snakemake.output.overlays,
    )
    map_slides(
        slides,
        network,
        card,
        fallback_um_px=this.cfg["fallback_um_px"],
        finished=this.checkpoints(snakemake.input.weights, *snakemake.input.code),
        stride_um=this.cfg["stride_um"],
        min_tissue_fraction=this.cfg["min_tissue_fraction"],
    )
