"""Learn the class of a slide from its features, and predict it for every slide."""

from medscale.files.tables import read_table, write_table
from medscale.pathology.forest_files import save_forest
from medscale.pathology.lesions import feature_names
from medscale.pathology.sheets import read_sheet_table
from medscale.pathology.slide_forest import classify_slides
from workflow_scripts.job import job

with job(snakemake) as this:
    features, sheet = read_table(snakemake.input.features), read_sheet_table(snakemake.input.sheet)
    classes, forest = classify_slides(features, sheet, seed=this.cfg["seed"], **this.cfg["staging"])
    thresholds = this.cfg["lesions"]["thresholds"]
    save_forest(forest, snakemake.output.forest, features=feature_names(thresholds), thresholds=thresholds)
    write_table(classes, snakemake.output.classes)
