"""Train a network on volumes, demographic scores or both, and let it classify all subjects."""

from medscale.files.sheets import read_text_table
from medscale.files.tables import write_table
from medscale.scans.subjects import list_subject_classes
from medscale.scans.volume_classifier import VolumeSettings, classify_subjects, train_volume_classifier
from medscale.seeds import derive_seed
from medscale.training.device import choose_device
from medscale.training.models import save_model
from workflow_scripts.job import job

with job(snakemake) as this:
    this.device = choose_device(this.gpus, this.cfg["torch_threads"])
    files, params, out = snakemake.input, snakemake.params, snakemake.output
    sheet = read_text_table(files.subjects, "Delete it and run again.").set_index("subject", drop=False)
    prepared = dict(zip(sheet["subject"], files.volumes, strict=True))
    network, card = train_volume_classifier(
        prepared,
        sheet,
        list_subject_classes(sheet),
        params.scores,
        VolumeSettings(**params.training),
        params.row["inputs"],
        seed=derive_seed(this.cfg["seed"], "volume classifier", params.row["seed"]),
        device=this.device,
        checkpoints=this.checkpoints(files.subjects, *files.volumes),
    )
    save_model(network, card, out.weights)
    write_table(classify_subjects(network, card, prepared, sheet, this.device), out.predictions)
