"""Measure stages, slide classes, patches and outlines against the truth and against trivial predictors."""

from medscale.figures.confusion_matrix import draw_confusion
from medscale.files.pictures import write_figure
from medscale.files.tables import read_table, write_json, write_table
from medscale.pathology.confusion import confuse_patients, confuse_slides
from medscale.pathology.evaluation import describe, evaluate
from medscale.pathology.overlap_table import tabulate_overlaps
from medscale.pathology.patch_auc import split_scores
from medscale.pathology.staging import CLASSES, STAGES
from workflow_scripts.job import job

with job(snakemake) as this:
    cfg, classes = this.cfg["evaluation"], read_table(snakemake.input.classes)
    patches, colour_patches = split_scores(read_table(snakemake.input.scores), classes)
    jaccards = tabulate_overlaps(
        snakemake.params.slides["slide"],
        snakemake.params.slides["split"],
        snakemake.input.heatmaps,
        snakemake.input.tumour,
        cfg["jaccard_threshold"],
    )
    metrics = evaluate(
        classes,
        resamples=cfg["bootstrap_samples"],
        seed=this.cfg["seed"],
        patches=patches,
        colour_patches=colour_patches,
        jaccards=jaccards,
    )
    write_json(metrics, snakemake.output.metrics)
    write_table(describe(metrics), snakemake.output.table)
    write_table(jaccards, snakemake.output.jaccard)
    stages, slides = confuse_patients(classes, "test"), confuse_slides(classes, "test")
    write_figure(draw_confusion(stages, STAGES, title="pN stage, test patients"), snakemake.output.stages)
    write_figure(draw_confusion(slides, CLASSES, title="slide class, test slides"), snakemake.output.slides)
