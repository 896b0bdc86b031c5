# The files of the study of scans, by the sheets and the trainings of the configuration.

import re

import pandas as pd

from medscale.scans.sheets import check_same_images, check_scans_exist, read_scan_sheet, split_masks
from medscale.scans.subjects import COLUMNS as SUBJECT_COLUMNS
from medscale.scans.subjects import choose_subjects
from medscale.scans import trainings as scan_trainings
from medscale.scans.trainings import INPUTS, OUTLINED, rows_of

SCANS = config["scans"]
CLASSIFIERS = scan_trainings.describe_classifiers(SCANS)
CONVENTIONAL = scan_trainings.describe_conventional(SCANS)
OUTLINERS = scan_trainings.describe_segmenters(SCANS)
SCAN_SHEETS = {
    (name, guarded): data(sheets["sheet" if guarded else "unguarded_sheet"])
    for name, sheets in SCANS["collections"].items()
    for guarded in (True, False)
    if sheets and sheets["sheet" if guarded else "unguarded_sheet"]
}
SCAN_ROWS = {
    key: read_scan_sheet(path, repository("schemas/scans.schema.json")) for key, path in SCAN_SHEETS.items()
}
for (name, guarded), rows in SCAN_ROWS.items():
    check_scans_exist(rows, SCAN_SHEETS[name, guarded], made_by_rules=DEMO)
    check_same_images(rows, SCAN_ROWS[name, True], SCAN_SHEETS[name, guarded])


def any_of(names):
    """A pattern for these names; one that fits nothing where there is none."""
    return "|".join(map(re.escape, names)) or "(?!)"


wildcard_constraints:
    collection=any_of(SCANS["collections"]),
    classifier=any_of(CLASSIFIERS),
    outliner=any_of(OUTLINERS),
    inputs=any_of(INPUTS),


def scan_column(collection, column):
    """What the sheet says of all images of a collection."""
    return SCAN_ROWS[collection, True][column].tolist()


def scan_masks(collection):
    return [split_masks(masks) for masks in scan_column(collection, "masks")]


def scan_files(wildcards):
    masks = scan_masks(wildcards.collection)
    return scan_column(wildcards.collection, "path") + [path for own in masks for path in own]


def demo_scans(collection):
    """The images of a collection that rules draw."""
    paths = scan_column(collection, "path") if (collection, True) in SCAN_ROWS else []
    return [path for path in paths if path.startswith(DEMO)]


def masks_of_demo(paths):
    rows = SCAN_ROWS[OUTLINED, True].set_index("path")["masks"]
    return [mask for path in paths for mask in split_masks(rows[path])]


def prepared_scans(training):
    return f"results/scans/images/{training.collection}_{training.size_px}px.h5"


def scan_sheet(training):
    return SCAN_SHEETS[training.collection, getattr(training, "guarded", True)]


def in_groups(trainings, *groups):
    """The trainings of these parts of the study."""
    return [training for training in trainings.values() if training.group in groups]


def files_of_scans(folder, suffix, trainings):
    """The files of all runs of these trainings in a folder below results/scans."""
    return [
        f"results/scans/{folder}/{name}_{seed}{suffix}" for name, seed in scan_trainings.runs_of(trainings)
    ]


def base_images(collection):
    """Prepared images of a collection, at the size of most networks."""
    return (
        f"results/scans/images/{collection}_{SCANS['size_px']}px.h5"
        if SCANS["collections"][collection]
        else []
    )


def base_sheet(collection):
    return SCAN_SHEETS.get((collection, True), [])


def report_classifier(part):
    """The report's classifier on the images of a part of the study, which stands beside its other networks."""
    return [CLASSIFIERS[SCANS[part]["collection"]]] if SCANS[part] else []


REPORTED = in_groups(CLASSIFIERS, scan_trainings.CLASSIFICATION)
AIDED_AND_PLAIN = in_groups(OUTLINERS, scan_trainings.SEGMENTATION)
COMPARED_NETWORKS = report_classifier("architectures") + in_groups(CLASSIFIERS, scan_trainings.ARCHITECTURES)
COMPARED = COMPARED_NETWORKS + in_groups(CONVENTIONAL, scan_trainings.ARCHITECTURES)
SHARED = in_groups(CLASSIFIERS, scan_trainings.DATA_SIZES) + in_groups(
    CONVENTIONAL, scan_trainings.DATA_SIZES
)
BY_SHARE = SHARED + [one for one in COMPARED if one.network in {training.network for training in SHARED}]
CLASSIFIERS_BY_SIZE = report_classifier("image_sizes") + in_groups(CLASSIFIERS, scan_trainings.IMAGE_SIZES)
OUTLINERS_BY_SIZE = in_groups(OUTLINERS, scan_trainings.IMAGE_SIZES) + [
    training
    for training in AIDED_AND_PLAIN
    if SCANS["image_sizes"]
    and (training.loss, training.aid) == (SCANS["image_sizes"]["loss"], scan_trainings.PLAIN)
]


def calls_of_classifier(wildcards):
    """What the classifier calls the images whose outlines it empties, with the same seed as the outliner."""
    return (
        f"results/scans/predictions/{OUTLINED}_{int(wildcards.seed) % SCANS['classification']['seeds']}.csv"
    )


SHOWN_OUTLINES = [
    f"results/scans/outlines/{training.name}_0.h5"
    for aid in (scan_trainings.PLAIN, scan_trainings.AIDED)
    for training in AIDED_AND_PLAIN
    if (training.loss, training.aid) == (SCANS["segmentation"]["shown_loss"], aid)
]

VOLUMES = SCANS["volumes"]
SUBJECT_SHEET = data(VOLUMES["subjects"]) if VOLUMES else []
SUBJECT_CHOICE = {
    key: (VOLUMES or {}).get(key) for key in ("channels", "scores", "missing_images", "missing_scores")
}
SUBJECTS = pd.DataFrame(columns=SUBJECT_COLUMNS).set_index("subject", drop=False)
if VOLUMES:
    SUBJECTS = choose_subjects(
        SUBJECT_SHEET,
        repository("schemas/subjects.schema.json"),
        **SUBJECT_CHOICE,
        made_by_rules=DEMO,
        quiet=True,
    )
SUBJECTS_PER_JOB = VOLUMES["subjects_per_job"] if VOLUMES else 1
VOLUME_TRAINING = scan_trainings.describe_volumes(VOLUMES)
VOLUME_RUNS = [(inputs, seed) for inputs in INPUTS for seed in range(VOLUMES["seeds"])] if VOLUMES else []


def demo_subjects():
    """The subjects whose images rules draw."""
    return [subject for subject, path in SUBJECTS["t1"].items() if path.startswith(DEMO)]


def subject_images(subjects):
    """The images of each of these subjects, in the order of the channels."""
    channels = VOLUMES["channels"] if VOLUMES else []
    return {subject: SUBJECTS.loc[subject, channels].tolist() for subject in subjects}


def prepared_volumes(subjects):
    return [f"results/scans/volumes/{subject}.npy" for subject in subjects]


def files_of_volumes(folder, suffix):
    return [f"results/scans/{folder}/volumes_{inputs}_{seed}{suffix}" for inputs, seed in VOLUME_RUNS]


def scan_parts():
    """The tables and figures of each part of the study that the configuration has."""
    parts = {
        "classification": (REPORTED, ["classification_trainings", "confusion"]),
        "segmentation": (AIDED_AND_PLAIN, ["segmentation_trainings", "overlap", "outlines"]),
        "architectures": (COMPARED, ["architectures", "architecture_trainings"]),
        "data_sizes": (SHARED, ["data_sizes"]),
        "image_sizes": (CLASSIFIERS_BY_SIZE, ["image_sizes"]),
        "volumes": (VOLUME_RUNS, ["volumes"]),
    }
    return {part: figures for part, (trainings, figures) in parts.items() if trainings}


SCAN_TABLES = {
    part: f"results/scans/{part}.csv"
    for part in ("classification", "segmentation", "architectures", "volumes")
    if part in scan_parts()
}
SCAN_RESULTS = [
    *(f"results/scans/{part}.csv" for part in scan_parts()),
    *(f"results/scans/figures/{figure}.png" for figures in scan_parts().values() for figure in figures),
    *(["results/scans/architectures.cost.csv"] if COMPARED else []),
]
