"""CT of demo patients: physical values, anatomy in its place, the same patient at every size."""

import cv2
import numpy as np
import pytest

from medscale.errors import InputError
from medscale.phantoms import ct_canvas
from medscale.phantoms.ct import draw_ct, paint_tissues, plan_ct, space_slices
from medscale.phantoms.ct_body import HIGHEST_MM, LOWEST_MM, list_breasts, polar
from medscale.phantoms.ct_canvas import FIELD_MM
from medscale.phantoms.ct_tissues import CODES, KIDNEY_CASE_TISSUES, NAMES
from medscale.phantoms.slide_geometry import rotate

PATIENTS = ("anna", "bert", "cleo", "dora")
SIZE_PX = 64


@pytest.fixture(scope="module")
def plans():
    return [plan_ct(f"p{number}", 1) for number in range(25)]


@pytest.fixture(scope="module")
def drawn():
    """Three slices of each patient."""
    return {name: draw_ct(name, SIZE_PX, 3, 1) for name in PATIENTS}


@pytest.fixture(scope="module")
def labels():
    """The tissues of one patient every 15 mm: height to labels on the fine grid."""
    plan = plan_ct("anna", 1)
    return {z: paint_tissues(plan, z, SIZE_PX).labels for z in np.arange(LOWEST_MM, HIGHEST_MM + 1, 15)}


@pytest.fixture(scope="module")
def pure_values(plans):
    """HU of the pixels that lie in one tissue alone, for each tissue, of ten patients."""
    values = {name: [] for name in NAMES}
    for number, plan in enumerate(plans[:10]):
        hu = draw_ct(f"p{number}", 256, 1, 1).hu[0]
        fine = paint_tissues(plan, space_slices(1, plan.level)[0], 256).labels.reshape(256, 8, 256, 8)
        tissue = np.where(fine.min(axis=(1, 3)) == fine.max(axis=(1, 3)), fine[:, 0, :, 0].astype(int), -1)
        for code in np.unique(tissue[tissue >= 0]):
            values[NAMES[code]] += hu[tissue == code].tolist()
    return values


def _radius_mm(size_px):
    middle = np.arange(size_px) - (size_px - 1) / 2
    return np.hypot(*np.meshgrid(middle, middle)) * FIELD_MM / size_px


def _area_mm2(plane, tissue):
    return (plane == CODES[tissue]).mean() * FIELD_MM**2


def _middle(plane, tissue):
    rows, columns = np.nonzero(plane == CODES[tissue])
    return np.array([rows.mean(), columns.mean()]) / len(plane)


def test_shape_type_and_spacing():
    ct = draw_ct("anna", 96, 3, 1)
    assert (ct.hu.shape, ct.hu.dtype) == ((3, 96, 96), np.float32)
    assert (ct.pixel_mm, ct.slice_mm) == (360 / 96, 5.0)


def test_slices_stay_within_the_torso_however_many():
    for level in (0.0, 0.4, 1.0):
        for slices in (1, 8, 63, 200):
            lowest, slice_mm = space_slices(slices, level)
            assert slice_mm <= 5.0
            assert lowest >= LOWEST_MM
            assert lowest + slice_mm * (slices - 1) <= HIGHEST_MM
    assert space_slices(8, 1.0)[0] == HIGHEST_MM - 35
    assert space_slices(126, 0.0) == (LOWEST_MM, 2.5)


def test_name_and_seed_alone_decide():
    one = draw_ct("anna", 64, 2, 1).hu
    assert np.array_equal(one, draw_ct("anna", 64, 2, 1).hu)
    for other in (draw_ct("bert", 64, 2, 1).hu, draw_ct("anna", 64, 2, 2).hu):
        assert np.abs(one - other).mean() > 20


def test_fewer_pixels_show_the_same_patient_averaged():
    small, large = (draw_ct("anna", size, 2, 1).hu for size in (128, 512))
    averaged = large.reshape(2, 128, 4, 128, 4).mean(axis=(2, 4))
    inside = averaged > -900
    assert np.abs(averaged - small)[inside].mean() < 4
    assert np.corrcoef(averaged[inside], small[inside])[0, 1] > 0.999


def test_air_is_air_and_the_patient_lies_in_the_round_field(drawn):
    outside = _radius_mm(SIZE_PX) > FIELD_MM / 2
    corner = np.s_[:, :8, :8]
    for ct in drawn.values():
        assert (ct.hu[:, outside] < -960).all()
        assert ct.hu[corner].mean() == pytest.approx(-1000, abs=1)
        assert ct.hu[corner].std() < 4
        assert ct.hu.min() >= -1024
        assert 250 < ct.hu.max() < 2200


def test_every_build_fits_into_the_round_field(plans):
    for number, plan in enumerate(plans):
        for z in np.arange(LOWEST_MM, HIGHEST_MM + 1, 35):
            points = np.concatenate([polar(plan.body.skin(z)), *list_breasts(plan.body, z)])
            turned = rotate(points, plan.turn) + plan.shift_mm
            assert np.hypot(*turned.T).max() < FIELD_MM / 2 - 1, (number, z)


# Ranges of textbooks, with contrast medium where it may be.
@pytest.mark.parametrize(
    ("tissue", "low", "high"),
    [
        ("lung", -950, -750),
        ("fat", -130, -80),
        ("muscle", 35, 80),
        ("liver", 35, 150),
        ("artery", 30, 450),
        ("cortex", 500, 1500),
        ("marrow", 100, 400),
        ("gas", -1024, -900),
    ],
)
def test_tissues_have_physical_values(pure_values, tissue, low, high):
    assert len(pure_values[tissue]) > 20
    assert low < np.median(pure_values[tissue]) < high


def test_organs_lie_where_they_belong(labels):
    loins, top_of_belly, heart, top = (labels[z] for z in (60.0, 120.0, 210.0, 300.0))
    assert _middle(top_of_belly, "liver")[1] < 0.5 < _middle(top_of_belly, "spleen")[1]
    assert _middle(heart, "myocardium")[1] > 0.5
    assert _middle(heart, "artery")[0] > _middle(heart, "myocardium")[0]
    assert _area_mm2(loins, "kidney_cortex") > 1000
    assert _area_mm2(loins, "lung") < 300
    assert _area_mm2(top, "lung") > 10000
    assert _area_mm2(top, "liver") == _area_mm2(top, "kidney_cortex") == 0
    assert _area_mm2(heart, "lung") > 15000
    assert _area_mm2(top_of_belly, "liver") > 8000


def test_every_slice_has_spine_ribs_aorta_skin_and_table(labels):
    for z, plane in labels.items():
        for tissue, least in (
            ("artery", 150),
            ("canal", 60),
            ("cortex", 60),
            ("skin", 800),
            ("muscle", 6000),
        ):
            assert _area_mm2(plane, tissue) > least, (z, tissue)
        assert _area_mm2(plane, "table_shell") > 300


def test_every_tissue_occurs_in_some_patient(monkeypatch, plans):
    monkeypatch.setattr(ct_canvas, "FINE_PX", 512)
    missing = set(NAMES) - set(KIDNEY_CASE_TISSUES)
    for plan in plans:
        for z in np.arange(LOWEST_MM, HIGHEST_MM, 10):
            missing -= {NAMES[code] for code in np.unique(paint_tissues(plan, z, SIZE_PX).labels)}
        if not missing:
            break
    assert missing == set()


def test_slices_change_smoothly():
    plan = plan_ct("bert", 1)
    for z in (40.0, 130.0, 180.0, 260.0):
        here, near, far = (
            paint_tissues(plan, z + step, SIZE_PX).average(plan.hu) for step in (0.0, 0.5, 20.0)
        )
        assert np.abs(near - here).mean() < 0.25 * np.abs(far - here).mean(), z


def test_edges_are_as_sharp_as_pixels_allow():
    hu = draw_ct("anna", 256, 1, 1).hu[0]
    row = hu[118]
    first = int(np.argmax(row > -800))
    assert row[first - 2] < -950
    assert row[first + 1] > -250


def test_patients_differ_in_size_level_and_contrast(plans):
    assert np.ptp([plan.body.half_width_mm for plan in plans]) > 10
    assert np.ptp([plan.body.fat_mm for plan in plans]) > 7
    assert np.ptp([plan.level for plan in plans]) > 0.8
    assert np.ptp([plan.hu[CODES["artery"]] for plan in plans]) > 200
    assert 0.2 < np.mean([plan.body.breast_mm > 0 for plan in plans]) < 0.8


def test_a_picture_is_not_symmetrical_left_and_right(drawn):
    for ct in drawn.values():
        assert np.abs(ct.hu - ct.hu[:, :, ::-1]).mean() > 40


def test_sharp_pictures_come_from_bones_and_gas(drawn):
    """The strongest edges, which cause the streaks of few views, are those of bones, lung and gas."""
    hu = np.concatenate([ct.hu for ct in drawn.values()])
    steps = np.array([np.abs(cv2.Laplacian(plane, cv2.CV_32F)) for plane in hu])
    assert np.quantile(steps[hu > 400], 0.5) > 5 * np.quantile(steps[(hu > 0) & (hu < 150)], 0.5)


@pytest.mark.parametrize(("size_px", "slices"), [(0, 3), (64, 0)])
def test_no_slice_and_no_pixel_are_refused(size_px, slices):
    with pytest.raises(InputError, match=r"anna.*at least 1"):
        draw_ct("anna", size_px, slices, 1)
