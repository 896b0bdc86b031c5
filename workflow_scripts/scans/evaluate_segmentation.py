"""Score outlines by loss, with and without the classifier's aid, and list whom the aid hurts."""

from medscale.files.tables import read_json, read_table, write_table
from medscale.scans.hurt_table import list_hurt
from medscale.scans.learning_curves import collect_outline_histories
from medscale.scans.mask_scores import score_empty
from medscale.scans.prepared_images import read_prepared_images
from medscale.scans.segmentation_table import lay_out_as_reported, tabulate_segmentation
from medscale.scans.sheets import read_checked_sheet
from medscale.scans.trainings import MaskTraining, by_training
from workflow_scripts.job import job

with job(snakemake) as this:
    files, out = snakemake.input, snakemake.output
    trainings = [MaskTraining(**row) for row in snakemake.params.trainings]
    scores = by_training(trainings, [read_table(path) for path in files.scores])
    empty = score_empty(read_prepared_images(files.images), read_checked_sheet(files.sheet))
    table = tabulate_segmentation(trainings, scores, empty, this.cfg["bootstrap_samples"], this.cfg["seed"])
    write_table(table, out.table)
    write_table(lay_out_as_reported(table), out.reported)
    write_table(list_hurt(trainings, scores), out.hurt)
    runs = [(training, seed) for training in trainings for seed in range(training.seeds)]
    histories = collect_outline_histories(
        [training.loss for training, _ in runs],
        [training.aid for training, _ in runs],
        [seed for _, seed in runs],
        [read_json(path)["history"] for path in files.cards],
    )
    write_table(histories, out.histories)
