"""Put the three ways of balancing side by side, as Table 2.4 of the thesis does."""

import pandas as pd

from medscale.files.pictures import write_figure
from medscale.files.tables import read_table, write_table
from medscale.pathology.balancing_study import compare_balancing, draw_study
from workflow_scripts.job import job

with job(snakemake):
    table = compare_balancing(pd.concat([read_table(path) for path in snakemake.input.runs]))
    write_table(table, snakemake.output.table)
    write_figure(draw_study(table), snakemake.output.figure)
