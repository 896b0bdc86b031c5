"""Show one slice as scans with fewer and fewer views see it."""

from medscale.files.pictures import write_figure
from medscale.sparse_ct.image_files import read_stored
from medscale.sparse_ct.pictures import draw_views
from medscale.sparse_ct.simulation import SimulationSettings
from medscale.training.device import choose_device
from workflow_scripts.job import job

with job(snakemake) as this:
    choose_device(this.gpus, this.cfg["torch_threads"])
    figure = draw_views(
        read_stored(snakemake.input.image),
        this.cfg["figures"]["slice"],
        this.cfg["figures"]["views"],
        SimulationSettings(**this.cfg["simulation"]),
        this.cfg["seed"],
        this.cfg["window_hu"],
    )
    write_figure(figure, snakemake.output.figure)
