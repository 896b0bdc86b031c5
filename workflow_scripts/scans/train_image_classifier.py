"""Train a network to tell the classes of images, and let it classify all of them."""

from medscale.files.tables import write_table
from medscale.scans.image_classifier import ClassifierSettings, classify_images, train_image_classifier
from medscale.scans.prepared_images import read_prepared_images
from medscale.scans.sheets import list_classes, read_checked_sheet
from medscale.scans.trainings import seed_of_run
from medscale.training.device import choose_device
from medscale.training.models import save_model
from workflow_scripts.job import job

with job(snakemake) as this:
    this.device = choose_device(this.gpus, this.cfg["torch_threads"])
    files, params = snakemake.input, snakemake.params
    images, sheet = read_prepared_images(files.images), read_checked_sheet(files.sheet)
    network, card = train_image_classifier(
        images,
        sheet,
        list_classes(sheet),
        ClassifierSettings(**params.training),
        share=params.share,
        seed=seed_of_run(this.cfg["seed"], int(params.row["seed"])),
        device=this.device,
        checkpoints=this.checkpoints(files.images, files.sheet),
    )
    save_model(network, card, snakemake.output.weights)
    write_table(classify_images(network, card, images, sheet, this.device), snakemake.output.predictions)
