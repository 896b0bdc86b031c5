# What the rules of all studies share. No rules; the names of each study's files stand in names/.

import os
import sys

# The library needs no installation: it is imported from the repository.
sys.path.insert(0, workflow.basedir)
# OpenCV would start a thread for every core of the machine in each job, and threads of torch that wait by
# spinning slow each other down manyfold where cores are shared.
os.environ.update(OPENCV_FOR_THREADS_NUM="1", OMP_WAIT_POLICY="PASSIVE")

from medscale.files.code import imported_files
from medscale.files.schemas import check_against_schema

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


def in_jobs(slides, slides_per_job):
    """Slides in groups that share one job, by the number of the group."""
    starts = range(0, len(slides), slides_per_job)
    return {number: slides[start : start + slides_per_job] for number, start in enumerate(starts)}


def wildcards_row(wildcards):
    return dict(wildcards.items())


include: "names/pathology.smk"
include: "names/sparse_ct.smk"
include: "names/kits19.smk"
include: "names/scans.smk"
