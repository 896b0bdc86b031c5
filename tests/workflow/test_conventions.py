"""What the repository promises about itself."""

import re
import subprocess
import sys

import pytest
import yaml

OVERLAYS = [
    "camelyon17.yaml",
    "two_cores.yaml",
    "sparse_ct.yaml",
    "sparse_ct_study.yaml",
    "kits19.yaml",
    "kits19_real.yaml",
    "breast_ultrasound.yaml",
    "brain_mri.yaml",
    "published_networks.yaml",
    "architectures.yaml",
]


def _locked(root):
    lines = (root / "requirements.lock").read_text().splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


@pytest.mark.parametrize("name", ["cpu", "gpu"])
def test_environments_have_the_versions_of_the_lock_file(root, name):
    environment = yaml.safe_load((root / f"envs/{name}.yaml").read_text())
    packages = next(part["pip"] for part in environment["dependencies"] if isinstance(part, dict))
    locked = _locked(root)
    assert packages
    assert [package for package in packages if package.split("==")[1] != locked[package.split("==")[0]]] == []


def test_the_lock_file_is_what_is_installed(root):
    installed = subprocess.run([sys.executable, "-m", "pip", "freeze"], capture_output=True, text=True).stdout
    versions = dict(line.split("==") for line in installed.replace("+cpu", "").splitlines() if "==" in line)
    assert {name: version for name, version in _locked(root).items() if versions.get(name) != version} == {}


@pytest.mark.parametrize("name", OVERLAYS)
def test_overlays_name_only_known_keys_with_valid_values(root, name):
    from medscale.files.schemas import check_against_schema

    def merge(base, overlay):
        merged = {k: merge(base[k] or {}, v) if isinstance(v, dict) else v for k, v in overlay.items()}
        return {**base, **merged}

    config = yaml.safe_load((root / "config.yaml").read_text())
    overlay = yaml.safe_load((root / "configs" / name).read_text())
    check_against_schema(merge(config, overlay), root / "schemas/config.schema.json", name)


def test_the_study_is_measured_on_annotated_slides_of_the_right_splits(root):
    import csv

    study = yaml.safe_load((root / "config.yaml").read_text())["pathology"]["balancing_study"]
    with open(root / "sheets/demo_slides.csv") as file:
        rows = {row["slide"]: row for row in csv.DictReader(file)}
    assert {rows[slide]["split"] for slide in study["slides"]} == {"train_network"}
    assert {rows[slide]["split"] for slide in study["held_out_slides"]} == {"test"}
    assert all(rows[slide]["annotation"] for slide in study["slides"] + study["held_out_slides"])
    assert len(study["slides"]) == len(study["held_out_slides"]) == 4


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["snakefmt", "--check", "Snakefile", "rules"],
        ["snakemake", "--lint"],
    ],
    ids=lambda command: command[0] + command[1],
)
def test_linters_are_silent(root, command):
    done = subprocess.run([sys.executable, "-m", *command], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_library_knows_nothing_of_snakemake(root):
    pattern = re.compile(r"^\s*(import|from)\s+(snakemake|workflow_scripts)", re.MULTILINE)
    files = list((root / "medscale").rglob("*.py"))
    assert len(files) > 30
    assert [path for path in files if pattern.search(path.read_text())] == []


def test_scripts_define_nothing_and_have_the_name_of_their_rule(root):
    rules = "".join(path.read_text() for path in (root / "rules").glob("*.smk"))
    scripts = list((root / "workflow_scripts").glob("*/*.py"))
    assert len(scripts) > 10
    for script in scripts:
        assert f"/{script.parent.name}/{script.name}" in rules
        assert re.search(rf"(rule {script.stem}|{script.stem}_\{{number\}})", rules), script
        assert not re.search(r"^\s*(def|class) ", script.read_text(), re.MULTILINE), script
