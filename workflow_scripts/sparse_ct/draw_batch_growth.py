"""Draw loss and PSNR over the epochs, as Figures 3.9 to 3.11 of the thesis do."""

from medscale.files.pictures import write_figure
from medscale.files.tables import read_table
from medscale.sparse_ct.growth_figure import draw_growth
from medscale.sparse_ct.growth_table import choose_curves
from workflow_scripts.job import job

with job(snakemake):
    row, histories = snakemake.params.row, read_table(snakemake.input.histories)
    curves = choose_curves(histories, row["sizing"], row["output"], row["kind"])
    write_figure(draw_growth(curves), snakemake.output.figure)
