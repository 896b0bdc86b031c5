# The files of the pathology study, by the slides of the sheet.

from medscale.pathology.sheets import check_files_exist, read_slide_sheet

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


def pretrained_weights(wildcards):
    weights = config["pathology"]["training"]["weights"]
    return [weights] if weights else []
