# The files of the KiTS19 study, by the cases of the sheet and the trainings of the configuration.

import re

from medscale.kits19.names import prediction_name
from medscale.kits19.sheets import check_cases_exist, choose_shown_case, read_case_sheet
from medscale.kits19.trainings import describe_samples, describe_trainings, describe_variants

CASE_SHEET = data(config["kits19"]["cases"])
CASES = read_case_sheet(CASE_SHEET, repository("schemas/kits19_cases.schema.json"))
check_cases_exist(CASES, CASE_SHEET, made_by_rules=DEMO)
SHOWN_CASE = choose_shown_case(CASES, config["kits19"]["figures"]["case"], CASE_SHEET)
SAMPLES = describe_samples(config["kits19"])
NETWORKS = describe_trainings(config["kits19"])
VARIANTS = describe_variants(config["kits19"])
TRAININGS = NETWORKS | VARIANTS


wildcard_constraints:
    training="|".join(map(re.escape, TRAININGS)),
    samples="|".join(map(re.escape, SAMPLES)),


def cases_of(*splits, labelled=True):
    """The cases of these splits; without labels, nothing can be learned or scored."""
    chosen = CASES["split"].isin(splits)
    return list(CASES.index[chosen & (CASES["segmentation"] != "") if labelled else chosen])


def case_rows(cases, *columns):
    """What the sheet says of the cases in these columns, so that other edits rerun nothing."""
    return CASES.loc[cases, list(columns)].to_dict("list")


def case_column(column, cases):
    return [path for path in CASES.loc[cases, column] if path]


def prepared(cases):
    return [f"results/kits19/cases/{case}.h5" for case in cases]


def sampled_cases(wildcards):
    """The prepared cases from which samples are drawn."""
    return prepared(cases_of("validation" if wildcards.samples == "validation" else "train"))


def training_files(wildcards):
    """The samples that a network learns from and is watched on, and slices that a generator drew, if asked for."""
    training = TRAININGS[wildcards.training]
    files = {
        "train": f"results/kits19/samples/{training.samples}/{training.kind}.csv",
        "weights": f"results/kits19/samples/{training.samples}/weights.json",
        "validation": f"results/kits19/samples/validation/{training.kind}.csv",
        "cases": prepared(cases_of("train", "validation")),
    }
    if training.uses_generated:
        files |= {
            "generated": ["results/kits19/generated/slices.h5"],
            "generated_table": "results/kits19/generated/slices.csv",
        }
    return files


def runs_of(trainings):
    return [run for training in trainings.values() for run in training.runs]


def files_of_runs(pattern, trainings):
    """The files of all runs that a pattern with {network} and {seed} below results/kits19 names."""
    return [f"results/kits19/{pattern}".format(**run) for run in runs_of(trainings)]


def predictions(network, seed, cases):
    return [f"results/kits19/predictions/{network}_{seed}/{prediction_name(case)}" for case in cases]
