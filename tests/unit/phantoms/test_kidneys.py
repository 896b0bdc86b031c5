"""Demo cases: kidneys with background around them, tumours of the planned size, values of the real organs."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from medscale.errors import InputError
from medscale.phantoms import ct_canvas
from medscale.phantoms.ct_canvas import FIELD_MM
from medscale.phantoms.ct_tissues import CODES, KIDNEY_CASE_TISSUES, NAMES
from medscale.phantoms.kidneys import FORMS, TUMOUR_MM, draw_case, plan_case

SEED, SIZE_PX = 20, 64


@pytest.fixture(scope="module")
def plans(root):
    cases = pd.read_csv(root / "sheets/demo_kits19.csv")["case"]
    return {case: plan_case(case, 128, SEED) for case in cases}


@pytest.fixture(scope="module")
def drawn():
    """HU and labels of one case with a usual tumour and one with a large one, on a coarser fine grid."""
    before, ct_canvas.FINE_PX = ct_canvas.FINE_PX, 512
    plans = {case: plan_case(case, SIZE_PX, SEED) for case in ("case_00006", "case_00205")}
    yield {case: (plan, *draw_case(plan, SIZE_PX)) for case, plan in plans.items()}
    ct_canvas.FINE_PX = before


def test_every_case_shows_both_kidneys_whole_with_background_around(plans):
    for case, plan in plans.items():
        top, bottom = plan.heights_mm[[0, -1]]
        for kidney in plan.ct.abdomen.kidneys:
            assert kidney.z[0] - kidney.caps[0] - bottom > 10, case
            assert top - kidney.z[-1] - kidney.caps[1] > 10, case
        for tumour in plan.tumours:
            assert bottom + 10 < tumour.middle[2] - tumour.radius, case
            assert tumour.middle[2] + tumour.radius < top - 10, case


def test_tumours_are_of_all_sizes_and_some_patients_have_two(plans):
    radii = [tumour.radius for plan in plans.values() for tumour in plan.tumours]
    assert TUMOUR_MM[0] <= min(radii) < 9
    assert 30 < max(radii) <= TUMOUR_MM[1]
    assert {len(plan.tumours) for plan in plans.values()} == {1, 2}
    middles = np.array([tumour.middle[0] for plan in plans.values() for tumour in plan.tumours])
    assert 0.2 < (middles > 0).mean() < 0.8


def test_slices_lie_3_to_5_mm_apart_but_for_the_thin_ones(plans):
    for case, plan in plans.items():
        low, high = (1.25, 1.25) if plan.form == "thin" else (3.0, 5.0)
        assert low <= plan.slice_mm <= high, case
        np.testing.assert_allclose(np.diff(plan.heights_mm), -plan.slice_mm)
        assert plan.form == "thin" or 30 < len(plan.heights_mm) < 60
    assert {plan.form for plan in plans.values()} == {"usual", *FORMS.values()}


def test_patients_are_in_different_phases(plans):
    cortex = [plan.ct.hu[CODES["kidney_cortex"]] for plan in plans.values()]
    assert sum(hu < 60 for hu in cortex) in (1, 2, 3)
    assert np.ptp(cortex) > 100


def test_fewer_pixels_mean_fewer_slices_of_the_same_patient():
    small, large = (plan_case("case_00000", size, SEED) for size in (64, 128))
    assert small.slice_mm == 2 * large.slice_mm
    assert small.heights_mm[0] == large.heights_mm[0]
    assert small.tumours[0].middle == large.tumours[0].middle
    assert plan_case("case_00000", 512, SEED).slice_mm == large.slice_mm


def test_tumours_have_their_planned_volume(drawn):
    for case, (plan, _, labels) in drawn.items():
        voxel_mm3 = (FIELD_MM / SIZE_PX) ** 2 * plan.slice_mm
        planned = sum(4 / 3 * np.pi * tumour.radius**3 for tumour in plan.tumours)
        assert (labels == 2).sum() * voxel_mm3 == pytest.approx(planned, rel=0.15), case


def test_kidneys_have_the_volume_of_kidneys(drawn):
    for plan, _, labels in drawn.values():
        kidneys_ml = (labels == 1).sum() * (FIELD_MM / SIZE_PX) ** 2 * plan.slice_mm / 1000
        assert 150 < kidneys_ml < 450


def test_the_ends_are_background_and_all_classes_are_there(drawn):
    for _, hu, labels in drawn.values():
        assert (hu.dtype, labels.dtype) == (np.int16, np.uint8)
        assert hu.shape == labels.shape
        assert not labels[[0, -1]].any()
        assert set(np.unique(labels)) == {0, 1, 2}


def test_values_are_those_of_the_phase(drawn):
    for plan, hu, labels in drawn.values():
        table = plan.ct.hu
        assert np.median(hu[labels == 1]) == pytest.approx(
            np.mean(table[[CODES["kidney_cortex"], CODES["kidney_medulla"]]]), abs=60
        )
        inside = [table[CODES["kidney_tumour"]], table[CODES["necrosis"]]]
        assert min(inside) - 15 < np.median(hu[labels == 2]) < max(inside) + 30


def test_cysts_of_kidneys_are_kidney_and_those_of_the_liver_are_not(monkeypatch):
    monkeypatch.setattr(ct_canvas, "FINE_PX", 512)
    plan = plan_case("case_00003", 128, SEED)
    for lesion in plan.ct.lesions:
        assert lesion.tissue != "cyst" or lesion.over == ("liver",)
    cyst = max(plan.cysts, key=lambda lesion: lesion.radius)
    hu, labels = draw_case(replace(plan, heights_mm=np.array([cyst.middle[2]])), 128)
    assert cyst.radius > 6
    dark = (labels[0] == 1) & (hu[0] < 30)
    assert dark.sum() > 0.4 * np.pi * cyst.radius**2 / (FIELD_MM / 128) ** 2


def test_forms(monkeypatch):
    monkeypatch.setattr(ct_canvas, "FINE_PX", 256)
    three = {}
    for case in ("case_00002", "case_00160", "case_00201"):
        plan = plan_case(case, 128, SEED)
        three[plan.form] = draw_case(replace(plan, heights_mm=plan.heights_mm[14:16]), 128)
    assert three["float"][0].dtype == np.float32
    assert (three["float"][0] % 1).any()
    assert three["wide"][0].shape == three["wide"][1].shape == (2, 128, 199)
    assert (three["wide"][0][:, :, [0, -1]] == -1000).all()
    assert three["upright"][0].shape == (2, 128, 128)


def test_name_and_seed_alone_decide(monkeypatch):
    monkeypatch.setattr(ct_canvas, "FINE_PX", 256)

    def middle(case, seed):
        plan = plan_case(case, 32, seed)
        return draw_case(replace(plan, heights_mm=plan.heights_mm[4:5]), 32)[0]

    one = middle("case_00000", 1)
    assert np.array_equal(one, middle("case_00000", 1))
    assert not np.array_equal(one, middle("case_00000", 2))
    assert not np.array_equal(one, middle("case_00003", 1))


def test_other_demo_ct_keeps_the_codes_of_its_tissues():
    assert NAMES[-len(KIDNEY_CASE_TISSUES) :] == KIDNEY_CASE_TISSUES
    assert CODES["air"] == 0


def test_no_pixel_is_refused():
    with pytest.raises(InputError, match=r"case_00000.*at least 1"):
        plan_case("case_00000", 0, 1)
