"""Draw new slices with labels, in the form of a prepared case."""

from medscale.files.tables import write_table
from medscale.kits19.generated import generate_slices, write_generated
from medscale.seeds import derive_seed
from medscale.training.device import choose_device
from medscale.training.models import load_model
from workflow_scripts.job import job

with job(snakemake) as this:
    this.device = choose_device(this.gpus, this.cfg["torch_threads"])
    network, card = load_model(snakemake.input.weights, this.device)
    seed = derive_seed(this.cfg["seed"], "generated")
    images, labels = generate_slices(network, snakemake.params.slices, seed, this.device)
    table = write_generated(images, labels, card, snakemake.output.slices)
    write_table(table, snakemake.output.table)
