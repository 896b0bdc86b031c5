"""Train a network to outline tumours, and let it outline those of all images."""

from medscale.files.tables import read_table, write_table
from medscale.scans.mask_scores import score_masks
from medscale.scans.mask_segmenter import SegmenterSettings, outline_tumours, train_mask_segmenter
from medscale.scans.outline_files import write_probabilities
from medscale.scans.predictions import find_emptied
from medscale.scans.prepared_images import read_prepared_images
from medscale.scans.sheets import list_tumour_free, read_checked_sheet
from medscale.seeds import derive_seed
from medscale.training.device import choose_device
from medscale.training.models import save_model
from workflow_scripts.job import job

with job(snakemake) as this:
    this.device = choose_device(this.gpus, this.cfg["torch_threads"])
    files, params, out = snakemake.input, snakemake.params, snakemake.output
    images, sheet = read_prepared_images(files.images), read_checked_sheet(files.sheet)
    emptied = find_emptied(read_table(files.calls), list_tumour_free(sheet))
    network, card = train_mask_segmenter(
        images,
        sheet,
        SegmenterSettings(**params.training),
        emptied=emptied if params.aided else (),
        seed=derive_seed(this.cfg["seed"], "mask segmenter", params.row["seed"]),
        device=this.device,
        checkpoints=this.checkpoints(files.images, files.sheet, files.calls),
    )
    save_model(network, card, out.weights)
    names, outlines = sheet["image"].tolist(), outline_tumours(network, card, images, sheet, this.device)
    write_probabilities(out.outlines, names, outlines)
    scores = score_masks(dict(zip(names, outlines, strict=True)), images, sheet, emptied)
    write_table(scores, out.scores)
