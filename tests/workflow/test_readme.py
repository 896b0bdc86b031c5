"""Every command of the README runs, in a copy of the repository whose configuration is the tiny one."""

import os
import re
import shutil
import subprocess

import pytest
import yaml

# What stands in the README for something of the reader's own, and what it is here.
SUBSTITUTES = {
    "/path/to/CAMELYON17": "{real_data}/camelyon_mosaic",
    "/path/to/CT ": "{real_data}/ct_dicom/single ",
    # The demo's cases, which `make kits19` has drawn by then, are numbered as the thesis divides KiTS19's.
    "/path/to/KiTS19": "results/demo_data/kits19/64px",
    "../shared/data": "{real_data}",
    # The thesis's settings take days on a GPU: their run is planned, not made.
    "--configfile configs/camelyon17.yaml --res": "--dry-run --configfile configs/camelyon17.yaml --res",
    "--configfile configs/sparse_ct.yaml --res": "--dry-run --configfile configs/sparse_ct.yaml --res",
    "--configfile configs/kits19.yaml --res": "--dry-run --configfile configs/kits19.yaml --res",
    "--configfile configs/breast_ultrasound.yaml": "--dry-run --configfile configs/breast_ultrasound.yaml",
    # The class of real subjects at hand is their sex, which cannot then be told to the network.
    "--configfile configs/brain_mri.yaml": "--dry-run --config scans='{{volumes: {{scores: [age]}}}}' "
    "--configfile configs/brain_mri.yaml",
    "make kits19_real": "make --dry-run kits19_real",
    "make architectures": "make --dry-run architectures",
    "/path/to/BUSI": "{real_data}/busi",
    "/path/to/brain_mri": "{real_data}/brain_mri_2d",
    "/path/to/t1/": "{real_data}/brain_mri_3d/nichart_demo/t1/",
    "/path/to/flair/": "{real_data}/brain_mri_3d/nichart_demo/fl/",
    "/path/to/participants.csv": "{real_data}/brain_mri_3d/nichart_demo/participants.csv",
    "--class Diagnosis": "--class Sex",
}
EXTRA = {
    "make test": {"PYTEST_ADDOPTS": "--collect-only -q"},
    "make bench": {"BENCH": "projection slides --edge-px 4096"},
    "make sparse_ct_study": {"CT": "{real_data}/ct_dicom/single"},
}
# What the study of real CT takes over here: with the rest of its settings it would run for an hour.
STUDY = {"sparse_ct": {"images": "images.csv", "figures": {"image": None, "slice": 0}}}


def _commands_in_blocks(text):
    blocks = re.findall(r"```bash\n(.*?)```", text, flags=re.DOTALL)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def _commands(text):
    lines = _commands_in_blocks(text)
    inline = re.findall(r"`((?:make|snakemake) [^`]*)`", text)
    return [line for line in [*lines, *inline] if line]


def _merge(base, overlay):
    for key, value in overlay.items():
        base[key] = _merge(base[key], value) if isinstance(value, dict) else value
    return base


@pytest.fixture(scope="module")
def copy(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("readme") / "medscale"
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
    )
    for name in tracked.stdout.splitlines():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, folder / name)
    (folder / ".venv").symlink_to(root / ".venv")
    tiny = yaml.safe_load((root / "tests/tiny.yaml").read_text())
    config = yaml.safe_load((root / "config.yaml").read_text())
    (folder / "config.yaml").write_text(yaml.safe_dump(_merge(config, tiny)))
    (folder / "configs/sparse_ct_study.yaml").write_text(yaml.safe_dump(STUDY))
    return folder


def _run(shown, copy, real_data):
    command = shown
    for found, here in SUBSTITUTES.items():
        command = command.replace(found, here.format(real_data=real_data.resolve()))
    extra = {key: value.format(real_data=real_data.resolve()) for key, value in EXTRA.get(shown, {}).items()}
    environment = os.environ | {"PATH": f"{copy}/.venv/bin:{os.environ['PATH']}"} | extra
    done = subprocess.run(["bash", "-ec", command], cwd=copy, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{shown}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"


def test_the_readme_opens_with_the_two_commands(root):
    assert _commands((root / "README.md").read_text())[:2] == ["make pn_stage", "make test"]


def test_every_command_of_the_readme_runs(root, copy, real_data):
    commands = _commands((root / "README.md").read_text())
    assert len(commands) > 10
    for command in dict.fromkeys(commands):
        _run(command, copy, real_data)
    assert (copy / "results/pn_stage.csv").read_text().startswith("patient,stage")
    assert (copy / "runs/camelyon17/slides.csv").is_file()
    assert (copy / "results/metrics/sparse_ct.json").is_file()
    assert (copy / "runs/sparse_ct_study/results/metrics/sparse_ct.json").is_file()


def test_every_command_of_the_docs_can_be_planned(root, copy, real_data):
    commands = [line for path in root.glob("docs/*.md") for line in _commands_in_blocks(path.read_text())]
    assert len(commands) > 3
    for command in commands:
        _run(re.sub(r"^snakemake", "snakemake --dry-run", command), copy, real_data)
