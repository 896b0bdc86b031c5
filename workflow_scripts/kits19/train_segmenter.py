"""Train a network to find kidneys and tumours."""

from medscale.kits19.sample_data import Loading, files_of_cases
from medscale.kits19.segmenter import SegmenterSettings, SegmenterTables, train_segmenter
from medscale.seeds import derive_seed
from medscale.training.device import choose_device
from medscale.training.models import save_model
from medscale.training.processes import count_devices
from workflow_scripts.job import job

with job(snakemake) as this:
    this.device = choose_device(this.gpus, this.cfg["torch_threads"])
    files, row = snakemake.input, snakemake.params.row
    network, card = train_segmenter(
        SegmenterTables.read(files.train, files.validation, files.weights, files.get("generated_table")),
        files_of_cases([*files.cases, *files.get("generated", [])]),
        SegmenterSettings(**snakemake.params.training),
        seed=derive_seed(this.cfg["seed"], "segmenter", row["seed"]),
        device=this.device,
        checkpoints=this.checkpoints(*files),
        devices=count_devices(this.device, this.gpus),
        loading=Loading(**this.cfg["loading"]),
    )
    save_model(network, card, snakemake.output.weights)
