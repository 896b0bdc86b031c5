"""Draw what each network finds in a test case, and a tumour that one network loses and another keeps."""

from medscale.files.pictures import write_figure
from medscale.kits19.case_pictures import draw_case, draw_missed_tumour, gather_cases
from workflow_scripts.job import job

with job(snakemake) as this:
    files, params = snakemake.input, snakemake.params
    cases = gather_cases(params.cases, files.imaging, files.segmentations, params.networks, files.predictions)
    shown = cases[params.cases.index(params.case)]
    missed = [case.only(*this.cfg["missed_by_and_kept_by"]) for case in cases]
    write_figure(draw_case(shown, this.cfg["window_hu"], this.cfg["slices"]), snakemake.output.case)
    write_figure(draw_missed_tumour(missed, this.cfg["window_hu"]), snakemake.output.missed)
