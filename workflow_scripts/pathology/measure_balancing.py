"""Map the slides of the balancing study with one network, and measure the overlap with the truth."""

from medscale.files.tables import write_table
from medscale.pathology.heatmaps import SlideToMap, map_slides
from medscale.pathology.overlap_table import tabulate_overlaps
from medscale.training.device import choose_device
from medscale.training.models import load_model
from workflow_scripts.job import job

with job(snakemake) as this:
    this.device = choose_device(this.gpus, this.cfg["torch_threads"])
    network, card = load_model(snakemake.input.weights, this.device)
    names, splits = snakemake.params.slides["slide"], snakemake.params.slides["split"]
    heatmaps = snakemake.output.heatmaps
    map_slides(
        SlideToMap.pair(
            names, snakemake.input.slides, snakemake.input.tissue, heatmaps, snakemake.output.overlays
        ),
        network,
        card,
        fallback_um_px=this.cfg["fallback_um_px"],
        finished=this.checkpoints(snakemake.input.weights, *snakemake.input.code),
        stride_um=this.cfg["stride_um"],
        min_tissue_fraction=this.cfg["min_tissue_fraction"],
    )
    overlaps = tabulate_overlaps(
        names, splits, heatmaps, snakemake.input.tumour, this.cfg["jaccard_threshold"]
    )
    write_table(overlaps.assign(**snakemake.params.row), snakemake.output.jaccard)
