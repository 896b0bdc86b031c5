"""Choose the weight of total variation on the validation patients."""

from medscale.files.tables import write_table
from medscale.sparse_ct.tv_files import choose_tv_weight
from medscale.training.device import choose_device
from workflow_scripts.job import job

with job(snakemake) as this:
    choose_device(this.gpus, this.cfg["torch_threads"])
    table = choose_tv_weight(
        snakemake.input.sinograms,
        snakemake.input.fbp,
        snakemake.input.originals,
        window_hu=this.cfg["window_hu"],
        **this.cfg["total_variation"],
    )
    write_table(table, snakemake.output.table)
