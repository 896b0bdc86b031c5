"""Tabulate accuracy and overlap by the size of images."""

from medscale.files.tables import read_table, write_table
from medscale.scans.mask_scores import score_empty
from medscale.scans.prepared_images import read_prepared_images
from medscale.scans.sheets import read_checked_sheet
from medscale.scans.size_tables import tabulate_image_sizes
from medscale.scans.trainings import MaskTraining, Training, by_training
from workflow_scripts.job import job

with job(snakemake) as this:
    files, params = snakemake.input, snakemake.params
    classifiers = [Training(**row) for row in params.trainings]
    outliners = [MaskTraining(**row) for row in params.outliners]
    sheet = read_checked_sheet(files.sheet) if outliners else None
    empty = {
        own.size_px: score_empty(read_prepared_images(path), sheet)
        for own, path in zip(outliners, files.images, strict=True)
    }
    table = tabulate_image_sizes(
        classifiers,
        by_training(classifiers, [read_table(path) for path in files.predictions]),
        outliners,
        by_training(outliners, [read_table(path) for path in files.scores]),
        empty,
        this.cfg["bootstrap_samples"],
        this.cfg["seed"],
    )
    write_table(table, snakemake.output.table)
