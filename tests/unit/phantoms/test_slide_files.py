"""Files of demo slides: as OpenSlide, ASAP and CAMELYON17 know them."""

import numpy as np
import openslide
import pandas as pd
import pytest
from defusedxml import ElementTree

from medscale.phantoms.slide_files import write_annotation, write_pyramid, write_slide, write_stage_labels
from medscale.phantoms.slide_geometry import depth_inside, measure_feret
from medscale.phantoms.slide_plan import SLIDE_UM_PX, plan_slide
from medscale.phantoms.slides import paint_slide


@pytest.fixture(scope="module")
def plan():
    return plan_slide("patient_060_node_0", "3", "macro", 1)


@pytest.fixture(scope="module")
def slide_path(plan, tmp_path_factory):
    path = tmp_path_factory.mktemp("slides") / "patient_060_node_0.tif"
    write_slide(plan, path)
    return path


@pytest.fixture(scope="module")
def painted(plan):
    return paint_slide(plan)


def test_openslide_reads_size_resolution_and_pyramid(plan, slide_path):
    with openslide.OpenSlide(slide_path) as slide:
        assert slide.dimensions == plan.shape_px[::-1]
        assert float(slide.properties["openslide.mpp-x"]) == SLIDE_UM_PX
        assert float(slide.properties["openslide.mpp-y"]) == SLIDE_UM_PX
        assert slide.level_downsamples == (1.0, 2.0, 4.0, 8.0)
        assert slide.properties["openslide.level[0].tile-width"] == "256"


def test_file_holds_what_was_painted(painted, slide_path):
    with openslide.OpenSlide(slide_path) as slide:
        read = np.asarray(slide.read_region((0, 0), 0, slide.dimensions).convert("RGB"))
    assert np.abs(read.astype(int) - painted).mean() < 10
    # Padding must not darken the last rows of the glass.
    assert read[-8:].mean() == pytest.approx(painted[-8:].mean(), abs=1)


def test_painting_and_file_are_the_same_again(plan, painted, slide_path, tmp_path):
    write_pyramid(painted, tmp_path / "again.tif", SLIDE_UM_PX, 75)
    assert (tmp_path / "again.tif").read_bytes() == slide_path.read_bytes()


def test_glass_is_bright_and_tissue_is_stained(plan, painted):
    x, y = (plan.nodes[0].mean(axis=0) / SLIDE_UM_PX).astype(int)
    assert painted[:60, :60].mean() > 220
    assert painted[y - 200 : y + 200, x - 200 : x + 200].mean() < 200


def _read_corners(annotation):
    return np.array([[float(c.get("X")), float(c.get("Y"))] for c in annotation.iter("Coordinate")])


def test_asap_polygons_carry_the_lesions(tmp_path):
    plans = (plan_slide(f"s{number}", "0", "macro", 1) for number in range(50))
    plan = next(plan for plan in plans if plan.lesions[0].hole_um is not None)
    write_annotation(plan, tmp_path / "a.xml")
    tree = ElementTree.parse(tmp_path / "a.xml")
    shapes = [(a.get("PartOfGroup"), _read_corners(a)) for a in tree.iter("Annotation")]
    groups = [group for group, _ in shapes]
    assert groups == sorted(groups)
    assert "normal" in groups
    assert {g.get("Name") for g in tree.iter("Group")} == {"metastases", "normal"}
    longest_um = max(measure_feret(points) for group, points in shapes if group == "metastases") * SLIDE_UM_PX
    assert longest_um == pytest.approx(measure_feret(plan.lesions[0].outline_um), abs=0.5)
    for _, points in shapes:
        assert max(depth_inside(points * SLIDE_UM_PX, node) for node in plan.nodes) > 0


def test_stage_labels_have_camelyon17s_form(tmp_path):
    labels = ["negative", "itc", "micro", "negative", "negative"]
    sheet = pd.DataFrame(
        {"slide": [f"patient_003_node_{n}" for n in range(5)], "patient": "patient_003", "label": labels}
    )
    write_stage_labels(sheet.iloc[::-1], tmp_path / "stage_labels.csv")
    lines = (tmp_path / "stage_labels.csv").read_text().splitlines()
    assert lines[:2] == ["patient,stage", "patient_003.zip,pN1mi"]
    assert lines[2:] == [f"patient_003_node_{n}.tif,{label}" for n, label in enumerate(labels)]
