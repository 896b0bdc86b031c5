# The files of the sparse-view CT study, by the images of the sheet and the batch schedules of the configuration.

from medscale.files.dicom_headers import find_files
from medscale.sparse_ct.geometry import kept_views
from medscale.sparse_ct.sheets import check_images_exist, choose_shown, read_ct_sheet
from medscale.training.batch_schedules import parse_schedule

CT_SHEET = data(config["sparse_ct"]["images"])
CT = read_ct_sheet(CT_SHEET, repository("schemas/ct_images.schema.json"))
check_images_exist(CT, CT_SHEET, made_by_rules=DEMO)
SHOWN = choose_shown(CT, config["sparse_ct"]["figures"]["image"], CT_SHEET)
DENOISER_SETTINGS = settings("seed", "torch_threads", "sparse_ct.denoiser", "sparse_ct.window_hu")
# Other numbers of views than a scan's do not change it.
SIMULATION_SETTINGS = {
    "simulation": {key: value for key, value in config["sparse_ct"]["simulation"].items() if key != "views"}
}
EPOCHS = config["sparse_ct"]["denoiser"]["epochs"]
GROWTH = config["sparse_ct"]["batch_growth"]
# The study's trainings are many, and differ from that of the network which is used in how they move the weights.
GROWTH_DENOISER = DENOISER_SETTINGS["denoiser"] | {
    key: GROWTH[key] for key in ("samples_per_epoch", "learning_rates", "optimisation")
}
GROWTH_SETTINGS = DENOISER_SETTINGS | {"denoiser": GROWTH_DENOISER}
VIEWS = sorted({*config["sparse_ct"]["simulation"]["views"], GROWTH["views"]})
# More views than the full scan has are refused before any job.
for count in [*VIEWS, *config["sparse_ct"]["figures"]["views"]]:
    kept_views(config["sparse_ct"]["simulation"]["full_views"], count)


wildcard_constraints:
    sizing="crop|resize",
    views=r"\d+",
    output="sigmoid|none",
    seed=r"\d+",
    table="fixed|t31|t32",
    sizes=r"(?!1\b(?!-))\d+(-\d+)*",
    control="|_decayed",
    kind="fixed|growing",


def ct_images(split):
    return list(CT[CT["split"] == split].index)


def ct_paths(images):
    """The files of these images; a DICOM series is all files of its folder."""
    paths = [CT.at[image, "path"] for image in images]
    return [file for path in paths for file in (find_files(path) if os.path.isdir(path) else [path])]


def ct_rows(images, *columns):
    """What the sheet says of the images in these columns, so that other edits rerun nothing."""
    return CT.loc[images, list(columns)].to_dict("list")


def ct_files(pattern, split):
    """The files that a pattern below results/sparse_ct names for the images of a split."""
    return expand(f"results/sparse_ct/{pattern}", image=ct_images(split))


def grows(schedule):
    return not schedule.startswith("fixed")


def model_name(sizing, views, output, seed, schedule, control=""):
    """Where a network of the study lies, without suffix."""
    name = parse_schedule(schedule, EPOCHS).file_name
    return f"results/sparse_ct/models/{sizing}_{views}_{output}_{seed}/{name}{control}"


def trunk_state(wildcards):
    """The state after the epochs that a growing schedule shares with batch size 1."""
    if wildcards.table == "fixed":
        return []
    epochs = parse_schedule(f"{wildcards.table}/{wildcards.sizes}", EPOCHS).shared_epochs
    return "results/sparse_ct/models/{sizing}_{views}_{output}_{seed}/after_{epochs}.ckpt".format(
        **wildcards, epochs=epochs
    )


# One row for each training of the study; a growing batch has the falling learning rate as its control.
GROWTH_RUNS = [
    {"sizing": sizing, "output": output, "seed": seed, "schedule": schedule, "control": control}
    for sizing, schedules in GROWTH["schedules"].items()
    if schedules
    for output in GROWTH["outputs"]
    for seed in range(GROWTH["seeds"])
    for schedule in ["fixed/1", *schedules]
    for control in (["", "_decayed"] if grows(schedule) else [""])
]
GROWTH_MODELS = [model_name(views=GROWTH["views"], **run) for run in GROWTH_RUNS]
BRANCH_EPOCHS = sorted(
    {
        parse_schedule(schedule, EPOCHS).shared_epochs
        for schedule in sum(GROWTH["schedules"].values(), [])
        if grows(schedule)
    }
)


def figures_of(sizing, schedules):
    """Curves of fixed and of growing batches, where there are any, and pictures of one slice."""
    kinds = sorted({"growing" if grows(schedule) else "fixed" for schedule in schedules})
    curves = expand("{kind}_{sizing}_{output}", kind=kinds, sizing=sizing, output=GROWTH["outputs"])
    return [f"results/sparse_ct/figures/{name}.png" for name in [*curves, f"denoised_{sizing}"]]


GROWTH_FIGURES = [
    figure
    for sizing, schedules in GROWTH["schedules"].items()
    if schedules
    for figure in figures_of(sizing, schedules)
]


def shown_runs(wildcards):
    """The first training of batch size 1 and of each growing schedule."""
    return [
        run
        for run in GROWTH_RUNS
        if run["sizing"] == wildcards.sizing
        and run["seed"] == 0
        and not run["control"]
        and (run["schedule"] == "fixed/1" or grows(run["schedule"]))
    ]


def shown_models(suffix):
    return lambda wildcards: [
        model_name(views=GROWTH["views"], **run) + suffix for run in shown_runs(wildcards)
    ]
