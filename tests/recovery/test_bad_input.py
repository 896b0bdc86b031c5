"""What a user does wrong is explained by file, value, expectation and mending, and costs no other work."""

import os
import subprocess

import pandas as pd
import pytest
import yaml

CAMELYON = "results/demo_data/camelyon17"
SHEET_COLUMNS = "slide,patient,centre,path,annotation,label,split\n"


@pytest.fixture
def run_with_sheet(root, tmp_path, snakemake):
    """Run in `tmp_path` with this sheet; what the workflow printed comes back."""

    def run(rows, *arguments, **changes):
        (tmp_path / "slides.csv").write_text(SHEET_COLUMNS + "".join(f"{row}\n" for row in rows))
        config = yaml.safe_load((root / "tests/tiny.yaml").read_text())
        config["pathology"] |= {"slides": "slides.csv", **changes}
        config["pathology"]["balancing_study"] |= {"slides": [], "held_out_slides": []}
        (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
        return snakemake(tmp_path, *arguments, config=tmp_path / "config.yaml")

    return run


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            ["a,p,0,a.tif,,negative,test", "b,p,0,b.tif,,itc,train_staging"],
            "patient p: found slides in test and",
        ),
        (["a,p,0,a.tif,,negative,test", "a,q,0,b.tif,,itc,test"], "slide a a second time"),
        (["a,p,0,a.tif,,isolated,test"], "'isolated' is not one of"),
        (["a,p,0,a.tif,,negative,test"], "slide a: found no file a.tif"),
    ],
)
def test_a_bad_sheet_stops_the_run_before_any_job(run_with_sheet, tmp_path, rows, message):
    done = run_with_sheet(rows)
    assert done.returncode != 0
    assert message in done.stdout
    assert "slides.csv" in done.stdout
    assert not (tmp_path / "results").exists()


def test_a_misspelt_key_stops_the_run(run_with_sheet, tmp_path):
    done = run_with_sheet(["a,p,0,a.tif,,negative,test"], heatmap={"stride_um": 10})
    assert done.returncode != 0
    assert "'heatmap' was unexpected" in done.stdout


@pytest.fixture
def slides(tiny_run):
    """Good demo slides by name."""
    sheet = {path.stem: path for path in (tiny_run / CAMELYON / "images").glob("*.tif")}
    return {name: str(path) for name, path in sheet.items()}


def test_one_truncated_slide_costs_no_other(run_with_sheet, tmp_path, slides):
    broken = tmp_path / "broken.tif"
    whole = slides["patient_023_node_0"]
    with open(whole, "rb") as file:
        broken.write_bytes(file.read()[:200_000])
    rows = [
        "broken,p1,0,broken.tif,,negative,test",
        f"good,p2,0,{slides['patient_003_node_1']},,negative,test",
    ]
    targets = [f"results/pathology/tissue/{name}.tif" for name in ("broken", "good")]
    done = run_with_sheet(rows, "--keep-going", *targets)
    assert done.returncode != 0
    assert "broken.tif: found a truncated TIFF" in done.stdout
    assert "Fetch the slide again, or leave it out of the sheet." in done.stdout
    assert "Traceback" not in done.stdout
    assert (tmp_path / targets[1]).is_file()
    assert [
        path.name for path in (tmp_path / "results/pathology/tissue").iterdir() if "broken" in path.name
    ] == []
    assert "truncated" in (tmp_path / "logs/mask_tissue/broken.log").read_text()


def test_an_annotation_of_another_slide_is_named(run_with_sheet, tmp_path, slides):
    (tmp_path / "far.xml").write_text(
        '<ASAP_Annotations><Annotations><Annotation Name="a" Type="Polygon" PartOfGroup="metastases">'
        '<Coordinates><Coordinate Order="0" X="90000" Y="0"/><Coordinate Order="1" X="90000" Y="900"/>'
        '<Coordinate Order="2" X="91000" Y="0"/></Coordinates></Annotation></Annotations></ASAP_Annotations>'
    )
    rows = [f"a,p,0,{slides['patient_000_node_1']},far.xml,micro,train_network"]
    done = run_with_sheet(rows, "results/pathology/tumour/a.tif")
    assert done.returncode != 0
    assert "far.xml: found outline 'a' at x 90000 to 91000" in done.stdout


def test_a_slide_smaller_than_a_patch_is_named(run_with_sheet, slides, root):
    settings = yaml.safe_load((root / "config.yaml").read_text())["pathology"]["patches"]
    rows = [f"a,p,0,{slides['patient_023_node_0']},,negative,test"]
    done = run_with_sheet(rows, "results/pathology/patches/a.parquet", patches=settings | {"size_px": 9000})
    assert done.returncode != 0
    assert "a: found a slide with an edge of" in done.stdout


def test_a_forest_without_enough_slides_is_refused_before_it_learns(
    run_with_sheet, tiny_run, tmp_path, slides
):
    folder = tmp_path / "results/pathology"
    folder.mkdir(parents=True)
    features = pd.read_csv(tiny_run / "results/pathology/features.csv")
    features[features["slide"].isin(["patient_001_node_0", "patient_003_node_0"])].to_csv(
        folder / "features.csv", index=False
    )
    rows = [
        f"patient_001_node_0,p1,0,{slides['patient_001_node_0']},,negative,train_staging",
        f"patient_003_node_0,p2,0,{slides['patient_003_node_0']},,micro,test",
    ]
    allowed = ("--allowed-rules", "classify_slides", "--rerun-triggers", "mtime")
    done = run_with_sheet(rows, "results/pathology/slide_classes.csv", *allowed)
    assert done.returncode != 0
    assert "1 labelled slides of 1 classes in the split train_staging" in done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_leaves_no_partial_file_and_the_next_run_ends_well(root, tmp_path, snakemake, tiny_run):
    target = f"{CAMELYON}/images/patient_003_node_0.tif"
    (tmp_path / "results").mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "none", tmp_path / "results"])
    if mounted.returncode:
        pytest.skip("this machine mounts no tmpfs")
    try:
        done = snakemake(tmp_path, target)
        assert done.returncode != 0
        assert "found no space left on its disk" in done.stdout
        assert [path for path in (tmp_path / "results").rglob("*") if path.is_file()] == []
    finally:
        subprocess.run(["umount", tmp_path / "results"], check=True)
    assert snakemake(tmp_path, target).returncode == 0
    assert (tmp_path / target).read_bytes() == (tiny_run / target).read_bytes()
