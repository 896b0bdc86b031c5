import numpy as np

from medscale.files.rasters import Raster, write_raster
from medscale.pathology.slides import Slide
from medscale.pathology.tumour import mask_tumour, share_of_tissue
from medscale.phantoms.slide_files import write_pyramid

XML = """<?xml version="1.0"?><ASAP_Annotations><Annotations>
<Annotation Name="a" Type="Polygon" PartOfGroup="metastases" Color="#F4FA58"><Coordinates>
<Coordinate Order="0" X="64" Y="64"/><Coordinate Order="1" X="192" Y="64"/>
<Coordinate Order="2" X="192" Y="128"/><Coordinate Order="3" X="64" Y="128"/>
</Coordinates></Annotation></Annotations></ASAP_Annotations>"""
GROUPS = {"tumour": ["metastases"], "cut_out": ["normal"]}


def test_outlines_and_masks_of_the_same_tumour_agree(tmp_path):
    write_pyramid(np.full((256, 384, 3), 200, np.uint8), tmp_path / "slide.tif", 2.0, 90)
    (tmp_path / "a.xml").write_text(XML)
    expected = np.zeros((64, 96), np.uint8)
    expected[16:32, 16:48] = 1
    write_raster(Raster(np.kron(expected, np.ones((4, 4), np.uint8)), 2.0), tmp_path / "mask.tif")
    with Slide(tmp_path / "slide.tif") as slide:
        for name in ("a.xml", "mask.tif"):
            mask = mask_tumour(slide, tmp_path / name, um_px=8.0, annotation_groups=GROUPS)
            np.testing.assert_array_equal(mask.values, expected)


def test_the_share_of_tissue_counts_tumour_on_tissue_only(tmp_path):
    tissue, tumour = np.zeros((8, 8), np.uint8), np.zeros((8, 8), np.uint8)
    tissue[:4], tumour[:, :2] = 1, 1
    write_raster(Raster(tissue, 8.0), tmp_path / "tissue.tif")
    write_raster(Raster(tumour, 8.0), tmp_path / "tumour.tif")
    assert share_of_tissue(tmp_path / "tissue.tif", tmp_path / "tumour.tif") == 0.25
