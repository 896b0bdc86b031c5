"""ASAP outlines and mask files become masks of the right area, or an error that names the fault."""

import json
import time

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from medscale.errors import InputError
from medscale.pathology.annotations import Outline, rasterise_outlines, read_asap, read_tumour_mask

GROUPS = {"tumour": ["metastases", "Tumor", "_0", "_1"], "cut_out": ["normal", "_2", "Exclusion"]}
SQUARE = [(100, 100), (500, 100), (500, 500), (100, 500)]


def annotation(points, group="metastases", shape="Polygon", name="a", orders=None):
    orders = orders or range(len(points))
    coordinates = "".join(
        f'<Coordinate Order="{order}" X="{x}" Y="{y}" />'
        for order, (x, y) in zip(orders, points, strict=True)
    )
    return (
        f'<Annotation Name="{name}" Type="{shape}" PartOfGroup="{group}" Color="#F4FA58">'
        f"<Coordinates>{coordinates}</Coordinates></Annotation>"
    )


@pytest.fixture
def write(tmp_path):
    def write_annotations(*annotations):
        path = tmp_path / "slide.xml"
        text = f"<ASAP_Annotations><Annotations>{''.join(annotations)}</Annotations></ASAP_Annotations>"
        path.write_text('<?xml version="1.0"?>\n' + text)
        return path

    return write_annotations


def shoelace(points):
    x, y = np.asarray(points, float).T
    return abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def area_px(raster, slide_um_px):
    return raster.values.sum() * (raster.um_px / slide_um_px) ** 2


def test_reads_both_naming_schemes_in_any_case(write):
    outlines = read_asap(
        write(*(annotation(SQUARE, group) for group in ("METASTASES", "tumor", "_1", "Normal", "_2"))), GROUPS
    )
    assert [outline.kind for outline in outlines] == ["tumour"] * 3 + ["cut_out"] * 2
    assert outlines[0].points.dtype == np.float64
    assert outlines[0].points.tolist() == [list(map(float, point)) for point in SQUARE]


def test_unknown_group_lists_the_known_ones(write):
    with pytest.raises(InputError, match=r"'mystery'.*metastases \(tumour\).*pathology\.annotation_groups"):
        read_asap(write(annotation(SQUARE, "mystery")), GROUPS)


def test_points_are_sorted_and_decimal_commas_read(write):
    path = write(annotation([("3,5", "1"), ("1,5", "1"), ("2,5", "4,25")], orders=[2, 0, 1]))
    assert read_asap(path, GROUPS)[0].points.tolist() == [[1.5, 1.0], [2.5, 4.25], [3.5, 1.0]]


def test_rectangles_of_two_and_four_corners_are_equal(write):
    path = write(annotation(SQUARE, shape="Rectangle"), annotation([SQUARE[0], SQUARE[2]], shape="Rectangle"))
    four, two = read_asap(path, GROUPS)
    assert shoelace(four.points) == shoelace(two.points) == 400 * 400


@pytest.mark.parametrize(
    "part",
    [
        annotation([(1, 1)], "mystery", "Dot", name="odd"),
        annotation(SQUARE, "mystery", "PointSet", name="odd"),
        annotation(SQUARE[:2], "mystery", "Measurement", name="odd"),
        annotation(SQUARE[:2], name="odd"),
        annotation([], name="odd"),
    ],
)
def test_shapes_without_area_are_left_out_aloud(write, caplog, part):
    outlines = read_asap(write(part, annotation(SQUARE, shape="Spline")), GROUPS)
    assert [outline.name for outline in outlines] == ["a"]
    assert "odd" in caplog.text


BOMB = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]><ASAP_Annotations>&y;</ASAP_Annotations>'


@pytest.mark.parametrize("text", ["", "<ASAP_Annotations>", "no xml", "<other/>", BOMB, "\0\1"])
def test_what_is_no_asap_file_is_refused(tmp_path, text):
    (tmp_path / "slide.xml").write_text(text)
    with pytest.raises(InputError, match=r"slide\.xml"):
        read_asap(tmp_path / "slide.xml", GROUPS)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_asap(tmp_path / "slide.xml", GROUPS)


@pytest.mark.parametrize("value", ["nan", "inf", "", "1.2.3", "x"])
def test_numbers_must_be_finite(write, value):
    with pytest.raises(InputError, match="finite"):
        read_asap(write(annotation([(1, 1), (value, 2), (3, 3)])), GROUPS)


def test_unknown_shape_is_refused(write):
    with pytest.raises(InputError, match="'circle'"):
        read_asap(write(annotation(SQUARE, shape="Circle")), GROUPS)


def test_mask_lies_where_the_outline_does():
    mask = rasterise_outlines([Outline(np.array(SQUARE, float), "tumour")], 1000, 800, 0.5, 8.0, "x")
    expected = np.zeros((50, 63), np.uint8)
    expected[6:31, 6:31] = 1
    assert mask.values.dtype == np.uint8
    assert np.array_equal(mask.values[7:31, 7:31], expected[7:31, 7:31])
    assert mask.values.shape == expected.shape
    assert np.argwhere(mask.values).min() >= 6
    assert np.argwhere(mask.values).max() <= 31


def test_cut_outs_follow_all_tumours():
    inner = Outline(np.array([(200, 200), (400, 200), (400, 400), (200, 400)], float), "cut_out")
    tumours = [Outline(np.array(SQUARE, float) + shift, "tumour") for shift in (0, 4)]
    masks = [
        rasterise_outlines(order, 640, 640, 1.0, 8.0, "x").values
        for order in ([inner, *tumours], [*tumours, inner])
    ]
    assert np.array_equal(*masks)
    assert masks[0][37, 37] == 0
    assert masks[0][20, 20] == 1


@pytest.mark.parametrize("direction", [1, -1])
def test_a_crossing_outline_is_filled_where_it_winds_as_in_asap(direction):
    star = np.array([(np.sin(a), -np.cos(a)) for a in np.arange(5) * 4 * np.pi / 5]) * 400 + 500
    mask = rasterise_outlines([Outline(star[::direction], "tumour")], 1000, 1000, 1.0, 4.0, "x").values
    assert mask[125, 125] == 1  # wound around twice: even-odd would leave a hole
    assert mask[50, 125] == 1
    assert mask[50, 60] == 0


@settings(max_examples=40, deadline=None)
@given(
    st.integers(3, 60),
    st.floats(150, 900),
    st.floats(0, 0.5),
    st.floats(1000, 1100),
    st.integers(0, 2**32 - 1),
)
def test_area_is_that_of_the_polygon(corners, radius, roughness, centre, seed):
    random = np.random.default_rng(seed)
    angles = (np.arange(corners) + random.random(corners) * 0.5) * 2 * np.pi / corners
    reach = radius * (1 - roughness * random.random(corners))
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1) * reach[:, None] + centre
    mask = rasterise_outlines([Outline(points, "tumour")], 2100, 2100, 0.5, 4.0, "x")
    edge = np.hypot(*(points - np.roll(points, 1, axis=0)).T).sum()
    # A pixel of 8 × 8 at the edge is right to within half its area, and errors mostly cancel.
    assert area_px(mask, 0.5) == pytest.approx(shoelace(points), abs=64 * (3 + 2.5 * np.sqrt(edge / 8)))


@pytest.mark.parametrize("shift", [(0, 5000), (-700, 0), (401, 0)])
def test_outside_the_slide_is_refused_with_coordinates(shift):
    outline = Outline(np.array(SQUARE, float) + shift, "tumour", name="far")
    with pytest.raises(
        InputError, match=rf"slide\.xml.*'far' at x {100 + shift[0]} to {500 + shift[0]}.*800 × 800"
    ):
        rasterise_outlines([outline], 800, 800, 0.5, 8.0, "slide.xml")


def test_a_little_outside_is_cut():
    outline = Outline(np.array(SQUARE, float) - 120, "tumour")
    assert rasterise_outlines([outline], 800, 800, 1.0, 8.0, "x").values[0, 0] == 1


@pytest.mark.parametrize("outlines", [[], [Outline(np.array(SQUARE, float), "cut_out")]])
def test_an_empty_mask_is_refused(outlines):
    with pytest.raises(InputError, match="marks no tumour"):
        rasterise_outlines(outlines, 800, 800, 1.0, 8.0, "x")


def write_mask(path, values, steps=(1,), **options):
    with tifffile.TiffWriter(path) as file:
        for step in steps:
            level = values[::step, ::step]
            file.write(level, photometric="minisblack", subfiletype=int(step > 1), metadata=None, **options)
    return path


@pytest.fixture
def drawn():
    values = np.zeros((1200, 1600), np.uint8)
    values[200:600, 300:900] = 1
    return values


@pytest.mark.parametrize("um_px", [0.5, 1.0, 3.7, 8.0])
@pytest.mark.parametrize("options", [{"tile": (256, 256), "compression": "zlib"}, {"rowsperstrip": 7}, {}])
def test_mask_files_keep_their_area(tmp_path, drawn, um_px, options):
    path = write_mask(tmp_path / "m.tif", drawn, (1, 2, 8), **options)
    mask = read_tumour_mask(path, 1600, 1200, 0.5, um_px)
    assert mask.values.shape == (int(np.ceil(1200 * 0.5 / um_px)), int(np.ceil(1600 * 0.5 / um_px)))
    assert area_px(mask, 0.5) == pytest.approx(400 * 600, rel=0.03)
    assert mask.values[int(210 * 0.5 / um_px) + 1, int(310 * 0.5 / um_px) + 1] == 1


def test_a_coarser_mask_is_enlarged(tmp_path, drawn):
    mask = read_tumour_mask(write_mask(tmp_path / "m.tif", drawn), 6400, 4800, 0.5, 1.0)
    assert area_px(mask, 0.5) == pytest.approx(400 * 600 * 16, rel=0.01)


def test_value_codes(tmp_path, drawn):
    plain = read_tumour_mask(write_mask(tmp_path / "m.tif", drawn), 1600, 1200, 0.5, 8.0).values
    scaled = read_tumour_mask(write_mask(tmp_path / "m.tif", drawn * 255), 1600, 1200, 0.5, 8.0).values
    drawn[700:800] = 2
    excluded = read_tumour_mask(write_mask(tmp_path / "m.tif", drawn), 1600, 1200, 0.5, 8.0).values
    assert np.array_equal(plain, scaled)
    assert np.array_equal(plain, excluded)
    drawn[0, 0] = 7
    with pytest.raises(InputError, match="0, 1, 2, 7"):
        read_tumour_mask(write_mask(tmp_path / "m.tif", drawn), 1600, 1200, 0.5, 8.0)


def test_masks_that_do_not_fit_are_refused(tmp_path, drawn):
    with pytest.raises(InputError, match="within 2 %"):
        read_tumour_mask(write_mask(tmp_path / "m.tif", drawn[:1100]), 1600, 1200, 0.5, 8.0)
    with pytest.raises(InputError, match="marks no tumour"):
        read_tumour_mask(write_mask(tmp_path / "m.tif", drawn * 0), 1600, 1200, 0.5, 8.0)
    with pytest.raises(InputError, match="one channel of uint8"):
        read_tumour_mask(write_mask(tmp_path / "m.tif", drawn.astype(np.uint16)), 1600, 1200, 0.5, 8.0)
    (tmp_path / "text.tif").write_text("no mask")
    for name in ("text.tif", "missing.tif"):
        with pytest.raises(InputError, match="no readable TIFF"):
            read_tumour_mask(tmp_path / name, 1600, 1200, 0.5, 8.0)


def test_a_truncated_mask_is_refused(tmp_path, drawn):
    path = write_mask(tmp_path / "m.tif", drawn, tile=(256, 256))
    path.write_bytes(path.read_bytes()[:-100_000])
    with pytest.raises(InputError, match=r"m\.tif"):
        read_tumour_mask(path, 1600, 1200, 0.5, 8.0)


def test_real_camelyon17_annotation(real_data):
    path = real_data / "camelyon/lesion_annotations/patient_004_node_4.xml"
    outlines = read_asap(path, GROUPS)
    mask = rasterise_outlines(outlines, 100_000, 220_000, 0.243, 2.0, path)
    assert len(outlines) == 3
    assert area_px(mask, 0.243) == pytest.approx(sum(shoelace(o.points) for o in outlines), rel=0.01)


def read_polygons(path):
    content = json.loads(path.read_text())
    return [
        Outline(np.array(shape["vertices"], float), kind)
        for key, kind in (("positive", "tumour"), ("negative", "cut_out"))
        for shape in content.get(key, [])
    ]


def net_area(outlines):
    return sum(shoelace(o.points) * (1 if o.kind == "tumour" else -1) for o in outlines)


def test_real_camelyon16_polygons(real_data):
    """Areas are right to 1 % at 8 µm/px, and of lesions below 0.05 mm² at 2 µm/px."""
    paths = sorted((real_data / "camelyon").glob("c16_polygons_*/[Tt]*.json"))
    for path in paths:
        outlines = read_polygons(path)
        corner = np.min([o.points.min(axis=0) for o in outlines], axis=0) - 50
        near = [Outline(o.points - corner, o.kind) for o in outlines]
        width, height = np.ceil(np.max([o.points.max(axis=0) for o in near], axis=0)).astype(int)
        um_px = 8.0 if net_area(outlines) * 0.243**2 > 0.05e6 else 2.0
        mask = rasterise_outlines(near, width, height, 0.243, um_px, path)
        assert area_px(mask, 0.243) == pytest.approx(net_area(outlines), rel=0.01), path.name
    assert len(paths) == 16


def test_18000_corners_take_seconds(real_data):
    path = real_data / "camelyon/c16_polygons_ncrf/Tumor_021.json"
    outlines = read_polygons(path)
    assert max(len(o.points) for o in outlines) == 18242
    start = time.perf_counter()
    mask = rasterise_outlines(outlines, 100_000, 200_000, 0.243, 8.0, path)
    assert time.perf_counter() - start < 5
    assert area_px(mask, 0.243) == pytest.approx(net_area(outlines), rel=0.01)


def test_a_normal_slide_with_only_cut_outs_is_refused(real_data):
    path = real_data / "camelyon/c16_polygons_ncrf/Normal_017.json"
    with pytest.raises(InputError, match="marks no tumour"):
        rasterise_outlines(read_polygons(path), 250_000, 250_000, 0.243, 8.0, path)


def test_real_mask_pyramid(real_data):
    mask = read_tumour_mask(real_data / "wsi/test-mask.tif", 8 * 864, 8 * 800, 0.504, 8.0)
    assert mask.values.mean() == pytest.approx(316958 / (864 * 800), rel=0.01)
