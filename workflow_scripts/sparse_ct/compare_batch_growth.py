"""Put the batch schedules side by side, as Tables 3.1 and 3.2 of the thesis do."""

from medscale.files.tables import read_json, write_table
from medscale.sparse_ct.growth_table import collect_runs, tabulate_growth
from workflow_scripts.job import job

with job(snakemake):
    cards = [read_json(path) for path in snakemake.input.cards]
    histories = collect_runs(snakemake.params.runs, cards)
    write_table(histories, snakemake.output.histories)
    write_table(tabulate_growth(histories), snakemake.output.table)
