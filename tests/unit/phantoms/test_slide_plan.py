"""Plans of demo slides: the class follows from geometry, and only the row and the seed count."""

import numpy as np
import pandas as pd
import pytest

from medscale.errors import InputError
from medscale.pathology.staging import CLASSES, STAGES, stage_patient
from medscale.phantoms.slide_geometry import depth_inside, draw_outline, measure_feret
from medscale.phantoms.slide_plan import CENTRES, SLIDE_UM_PX, plan_slide

SPLITS = {"train_network", "train_staging", "test"}


@pytest.fixture(scope="module")
def sheet(root):
    return pd.read_csv(root / "sheets" / "demo_slides.csv", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def plans(sheet):
    return [plan_slide(row.slide, row.centre, row.label, 7) for row in sheet.itertuples()]


def _class_of(plan):
    longest_mm = max((measure_feret(lesion.outline_um) for lesion in plan.lesions), default=0) / 1000
    return CLASSES[int(longest_mm > 0) + int(longest_mm > 0.2) + int(longest_mm > 2)]


def test_class_follows_from_geometry_on_every_row(plans):
    assert [_class_of(plan) for plan in plans] == [plan.label for plan in plans]


def test_largest_lesions_have_very_different_sizes_in_training(sheet, plans):
    rows = sheet[sheet["label"].isin(["micro", "macro"]) & (sheet["annotation"] != "")]
    learnt = set(rows.loc[rows["split"] == "train_network", "slide"])
    sizes = [measure_feret(plan.lesions[0].outline_um) for plan in plans if plan.slide in learnt]
    assert len(sizes) >= 8
    assert max(sizes) > 4 * min(sizes)


def test_lesions_lie_in_a_node_and_apart_from_each_other(plans):
    for plan in plans:
        outlines = [lesion.outline_um for lesion in plan.lesions]
        assert all(max(depth_inside(o, node) for node in plan.nodes) > 0 for o in outlines)
        for number, one in enumerate(outlines):
            for other in outlines[number + 1 :]:
                assert np.hypot(*(one[:, None] - other[None]).transpose(2, 0, 1)).min() > 150


def test_largest_lesion_comes_first(plans):
    for plan in plans:
        sizes = [measure_feret(lesion.outline_um) for lesion in plan.lesions]
        assert not sizes or sizes[0] == max(sizes)


def test_holes_lie_inside_their_lesion_and_occur(plans):
    pairs = [(lesion.hole_um, lesion.outline_um) for plan in plans for lesion in plan.lesions]
    holes = [(hole, outline) for hole, outline in pairs if hole is not None]
    assert len(holes) > 3
    assert all(depth_inside(hole, outline) > 0 for hole, outline in holes)


def test_nodes_lie_on_the_glass(plans):
    for plan in plans:
        points = np.concatenate(plan.nodes)
        assert points.min() > 0
        assert (points.max(axis=0) < np.array(plan.shape_px[::-1]) * SLIDE_UM_PX).all()


def test_every_artefact_occurs_but_not_everywhere(plans):
    for counts in zip(*((len(p.folds), len(p.faint_um), len(p.pens)) for p in plans), strict=True):
        assert 0 < np.count_nonzero(counts) < len(plans)


def test_same_row_and_seed_give_the_same_plan_and_others_do_not():
    one, same = (plan_slide("a", "0", "macro", 3) for _ in range(2))
    assert np.array_equal(one.lesions[0].outline_um, same.lesions[0].outline_um)
    for other in (plan_slide("b", "0", "macro", 3), plan_slide("a", "0", "macro", 4)):
        assert not np.array_equal(one.lesions[0].outline_um, other.lesions[0].outline_um)


@pytest.mark.parametrize(("centre", "label"), [("7", "macro"), ("0", "huge")])
def test_unknown_centre_or_label_is_refused_by_name(centre, label):
    with pytest.raises(InputError, match=r"slide_9.*'(7|huge)'"):
        plan_slide("slide_9", centre, label, 0)


def test_outline_has_the_length_asked_for():
    outline = draw_outline(np.random.default_rng(0), 200.0, 0.6, 0.2)
    assert measure_feret(outline) == pytest.approx(200.0, rel=1e-12)


def test_feret_of_a_square_is_its_diagonal():
    assert measure_feret(np.array([[0, 0], [3, 0], [3, 4], [0, 4]])) == 5


def test_sheet_keeps_patients_in_one_split_and_one_centre(sheet):
    assert (sheet.groupby("patient")[["split", "centre"]].nunique() == 1).all(axis=None)
    assert (sheet.groupby("patient").size() == 5).all()
    assert sheet["slide"].is_unique
    # CAMELYON17 gives each centre twenty patient numbers.
    assert (sheet["patient"].str[-3:].astype(int) // 20 == sheet["centre"].astype(int)).all()


def test_sheet_covers_centres_and_stages_in_each_split(sheet):
    stages = sheet.groupby(["split", "patient"])["label"].agg(lambda labels: stage_patient(list(labels)))
    for split in SPLITS:
        assert set(sheet.loc[sheet["split"] == split, "centre"]) == set(CENTRES)
    for split in ("train_staging", "test"):
        assert set(stages[split]) == set(STAGES)
    assert set(sheet["split"]) == SPLITS


def test_sheet_annotates_some_slides_with_tumour_only(sheet):
    annotated = sheet[sheet["annotation"] != ""]
    assert not (annotated["label"] == "negative").any()
    test_labels = annotated.loc[annotated["split"] == "test", "label"]
    assert test_labels.isin(["micro", "macro"]).sum() >= 5
    assert len(annotated) < 0.25 * len(sheet)
