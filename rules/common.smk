# Sheets, wildcard constraints and input functions. No rules.

import os
import sys

# The library needs no installation: it is imported from the repository.
sys.path.insert(0, workflow.basedir)
# OpenCV would start a thread for every core of the machine in each job, and threads of torch that wait by
# spinning slow each other down manyfold where cores are shared.
os.environ.update(OPENCV_FOR_THREADS_NUM="1", OMP_WAIT_POLICY="PASSIVE")

from medscale.files.code import imported_files
from medscale.files.schemas import check_against_schema
from medscale.pathology.sheets import check_files_exist, read_slide_sheet

DEMO = "results/demo_data"


def repository(path):
    """A path in the repository, relative to the run, so that both can be moved together."""
    return os.path.relpath(os.path.join(workflow.basedir, path))


def data(path):
    """A file named in the configuration: in the folder of the run, else in the repository."""
    return path if os.path.exists(path) else repository(path)


check_against_schema(config, repository("schemas/config.schema.json"), "the configuration")


def code(script):
    """The library files that a script uses, so that a change in one of them reruns its rule."""
    return imported_files(repository(f"workflow_scripts/{script}.py"), repository("."))


def settings(*keys):
    """The parts of the configuration at these dotted places, by the last part of their names."""
    return {key.split(".")[-1]: lookup(dpath=key.replace(".", "/"), within=config) for key in keys}


# Cores of a job that trains or applies a network.
NETWORK_THREADS = max(config["torch_threads"], config["pathology"]["training"]["loader_workers"])
HEATMAP_SETTINGS = settings(
    "torch_threads",
    "pathology.heatmaps.stride_um",
    "pathology.heatmaps.min_tissue_fraction",
    "pathology.fallback_um_px",
)

SLIDE_SHEET = data(config["pathology"]["slides"])
SLIDES = read_slide_sheet(SLIDE_SHEET, repository("schemas/slides.schema.json"))
check_files_exist(SLIDES, SLIDE_SHEET, made_by_rules=DEMO)


STRATEGIES = ["unbalanced", "class_balanced", "slide_balanced"]
MAIN_STRATEGY = config["pathology"]["balancing"]["strategy"]
MAIN_MODEL = f"results/pathology/models/{MAIN_STRATEGY}_0.safetensors"
MAIN_MODEL_CARD = f"results/pathology/models/{MAIN_STRATEGY}_0.json"
STUDY_SLIDES = (
    config["pathology"]["balancing_study"]["slides"]
    + config["pathology"]["balancing_study"]["held_out_slides"]
)
# A configuration without study slides has no study.
STUDY_RESULTS = ["results/pathology/balancing_study.csv"] if STUDY_SLIDES else []


wildcard_constraints:
    slide="[A-Za-z0-9][A-Za-z0-9_-]*",
    strategy="unbalanced|class_balanced|slide_balanced",
    repetition=r"\d+",


def slides_of(*splits, labelled=False):
    """Names of the slides in these splits, all of them or those with a known class."""
    chosen = SLIDES[SLIDES["split"].isin(splits)]
    return list(chosen[chosen["label"] != ""].index if labelled else chosen.index)


def annotated(slides):
    return [slide for slide in slides if SLIDES.at[slide, "annotation"]]


def sheet_rows(slides):
    """Names and splits of slides, side by side."""
    return {"slide": list(slides), "split": [SLIDES.at[slide, "split"] for slide in slides]}


def slide_row(*columns):
    """What the sheet says of the slide in these columns, so that other edits rerun nothing."""
    return lambda wildcards: SLIDES.loc[wildcards.slide, list(columns)].to_dict()


def slide_path(wildcards):
    return SLIDES.at[wildcards.slide, "path"]


def slide_paths(slides):
    return [SLIDES.at[slide, "path"] for slide in slides]


def annotation_path(wildcards):
    return SLIDES.at[wildcards.slide, "annotation"]


def tumour_mask_if_annotated(wildcards):
    return f"results/pathology/tumour/{wildcards.slide}.tif" if annotation_path(wildcards) else []


def wildcards_row(wildcards):
    return dict(wildcards.items())


def pretrained_weights(wildcards):
    weights = config["pathology"]["training"]["weights"]
    return [weights] if weights else []


def in_jobs(slides, slides_per_job):
    """Slides in groups that share one job, by the number of the group."""
    starts = range(0, len(slides), slides_per_job)
    return {number: slides[start : start + slides_per_job] for number, start in enumerate(starts)}
