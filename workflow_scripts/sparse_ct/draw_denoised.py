"""Show one slice as the networks of all schedules restore it, as Figures 3.12 and 3.13 of the thesis do."""

from medscale.files.pictures import write_figure
from medscale.sparse_ct.pairs import Sizing
from medscale.sparse_ct.pictures import draw_denoised
from medscale.training.device import choose_device
from workflow_scripts.job import job

with job(snakemake) as this:
    this.device = choose_device(this.gpus, this.cfg["torch_threads"])
    figure = draw_denoised(
        snakemake.input.fbp,
        snakemake.input.original,
        this.cfg["slice"],
        snakemake.params.runs,
        snakemake.input.weights,
        Sizing(snakemake.params.row["sizing"], this.cfg["size_px"]),
        this.device,
    )
    write_figure(figure, snakemake.output.figure)
