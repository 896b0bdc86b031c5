"""Fit methods on hand-made features of images, and let them classify all images."""

from medscale.files.tables import write_table
from medscale.scans.conventional import classify_conventionally, extract_features
from medscale.scans.prepared_images import read_prepared_images
from medscale.scans.sheets import read_checked_sheet
from medscale.scans.trainings import Training, runs_of, seed_of_run
from workflow_scripts.job import job

with job(snakemake) as this:
    sheet = read_checked_sheet(snakemake.input.sheet[0])
    features = extract_features(read_prepared_images(snakemake.input.images[0]))
    trainings = {row["name"]: Training(**row) for row in snakemake.params.trainings}
    for (name, number), path in zip(runs_of(trainings.values()), snakemake.output.predictions, strict=True):
        own, seed = trainings[name], seed_of_run(this.cfg["seed"], number)
        write_table(classify_conventionally(features, sheet, own.network, share=own.share, seed=seed), path)
