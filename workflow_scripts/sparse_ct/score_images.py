"""Measure every reconstruction of the test patients against the original."""

from medscale.files.tables import write_table
from medscale.sparse_ct.comparison import ScannedImage, score_images
from medscale.training.device import choose_device
from workflow_scripts.job import job

with job(snakemake) as this:
    choose_device(this.gpus, this.cfg["torch_threads"])
    files = snakemake.input
    images = [
        ScannedImage(original, sinogram, {"tv": tv, "denoiser": denoised})
        for original, sinogram, tv, denoised in zip(
            files.originals, files.sinograms, files.tv, files.denoised, strict=True
        )
    ]
    views = int(snakemake.wildcards.views)
    scores = score_images(snakemake.params.rows, images, views, this.cfg["window_hu"])
    write_table(scores, snakemake.output.scores)
