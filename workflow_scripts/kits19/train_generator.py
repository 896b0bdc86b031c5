"""Train a network to draw new slices with labels."""

from medscale.files.tables import read_table
from medscale.kits19.generated import GeneratorSettings, train_generator
from medscale.kits19.sample_data import Loading, files_of_cases
from medscale.seeds import derive_seed
from medscale.training.device import choose_device
from medscale.training.models import save_model
from workflow_scripts.job import job

with job(snakemake) as this:
    this.device = choose_device(this.gpus, this.cfg["torch_threads"])
    files = snakemake.input
    network, card = train_generator(
        read_table(files.train),
        files_of_cases(files.cases),
        GeneratorSettings(**snakemake.params.training),
        seed=derive_seed(this.cfg["seed"], "generator"),
        device=this.device,
        checkpoints=this.checkpoints(*files),
        loading=Loading(**this.cfg["loading"]),
    )
    save_model(network, card, snakemake.output.weights)
