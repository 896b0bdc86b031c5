"""What every rule promises."""

import json
import re

STUDIES = {"pathology", "sparse_ct", "kits19", "scans"}
NOT_ASKED_FOR = {"label_demo_slides", "describe_demo_cases"}
RESULTS = {".csv", ".tif", ".parquet", ".nii", ".h5", ".safetensors", ".ckpt", ".png"}


def test_every_rule_ran_and_left_log_and_benchmark(tiny_run, root):
    text = "".join(path.read_text() for path in (root / "rules").glob("*.smk"))
    named = set(re.findall(r"^rule (\w+):", text, flags=re.MULTILINE)) - STUDIES
    looped = set(re.findall(r'f"(\w+)_\{number\}"', text))
    assert len(looped) == 8
    for folder in ("logs", "logs/benchmarks"):
        ran = {path.stem for path in (tiny_run / folder).iterdir()} - {"benchmarks"}
        assert ran == (named | looped) - NOT_ASKED_FOR


def test_every_result_has_its_provenance(tiny_run):
    made = [path for path in (tiny_run / "results").rglob("*") if path.suffix in RESULTS]
    assert len(made) > 100
    for path in made:
        sidecar = json.loads((path.parent / f"{path.name}.provenance.json").read_text())
        assert sidecar["inputs"] or sidecar["rule"].startswith(("draw_demo", "annotate", "measure_steps"))
