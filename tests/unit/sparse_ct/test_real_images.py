"""What becomes of every real CT file: it is read, or refused with a reason."""

import numpy as np
import pytest

from medscale.errors import InputError
from medscale.sparse_ct.images import read_image, write_image

COVID = "ct_dicom/tcia_covid_ny_sbu/A002304"
SAME = "ct_dicom/transfer_syntaxes/CTImage.dcm"
# Slices, edge in pixels, pixel in mm, lowest and highest HU.
READ = {
    "ct_dicom/single/693_J2KR.dcm": (1, 512, 0.478516, -1024, 1468),
    "ct_dicom/single/693_UNCI.dcm": (1, 512, 0.478516, -1024, 1812),
    "ct_dicom/single/CT_small.dcm": (1, 128, 0.661468, -896, 1167),
    "ct_dicom/single/dicompyler_ct.0.dcm": (1, 512, 1.074219, -1000, 1457),
    "ct_dicom/single/lungmask_0.dcm": (1, 512, 0.625, -1024, 1502),
    "ct_dicom/single/lungmask_1.dcm": (1, 512, 0.625, -1024, 1502),
    f"{COVID}/axial/19001231-076.dcm": (1, 512, 0.826172, -1024, 1112),
    f"{COVID}/axial/19010112-135.dcm": (1, 512, 0.640625, -1024, 3071),
    "ct_dicom/totalseg_series": (20, 512, 0.9765625, -1024, 1839),
    "ct_dicom/transfer_syntaxes/CT1_J2KR": (1, 512, 0.661468, -1024, 1254),
    f"{SAME}_BigEndianExplicitTransferSyntax_1.2.840.10008.1.2.2.dcm": (1, 512, 0.675781, -1024, 1378),
    f"{SAME}_JPEG2000LosslessOnlyTransferSyntax_1.2.840.10008.1.2.4.90.dcm": (1, 512, 0.675781, -1024, 1378),
    f"{SAME}_JPEGLSLosslessTransferSyntax_1.2.840.10008.1.2.4.80.dcm": (1, 512, 0.675781, -1024, 1378),
    f"{SAME}_LittleEndianExplicitTransferSyntax_1.2.840.10008.1.2.1.dcm": (1, 512, 0.675781, -1024, 1378),
    f"{SAME}_RLELosslessTransferSyntax_1.2.840.10008.1.2.5.dcm": (1, 512, 0.675781, -1024, 1378),
}
REFUSED = {
    "ct_dicom/single/gdcm-CT-MONO2-8-abdo.dcm": "a PixelSpacing of",
    "ct_dicom/single": "a PixelSpacing of",
    "ct_dicom/tcga_lung_100": "unlike ID_0003_AGE_0075_CONTRAST_1_CT.dcm beside it",
    "ct_dicom/transfer_syntaxes": "unlike CT1_J2KR beside it",
    f"{COVID}/axial": "pixels of 0.640625 × 0.640625 mm, unlike",
    f"{COVID}/coronal/19001231-076.dcm": "coronal or sagittal",
    f"{COVID}/coronal/19010112-124.dcm": "coronal or sagittal",
    f"{COVID}/sagittal/19001231-080.dcm": "coronal or sagittal",
    f"{COVID}/sagittal/19010112-134.dcm": "coronal or sagittal",
    f"{COVID}/coronal": "another orientation",
    f"{COVID}/sagittal": "another orientation",
    COVID: "a folder without DICOM files",
    "ct_nifti/CT_AVM.nii.gz": "242 rows and 256 columns",
    "ct_nifti/ct_perfusion.nii.gz": "colours",
    "ct_nifti/totalseg_example_ct.nii.gz": "101 rows and 122 columns",
    "ct_nifti/totalseg_example_ct_sm.nii.gz": "101 rows and 122 columns",
    "ct_nifti/totalseg_example_ct_sm_seg.nii.gz": "101 rows and 122 columns",
}


def test_the_expectations_cover_every_file(real_data):
    files = [
        path for name in ("ct_dicom", "ct_nifti") for path in (real_data / name).rglob("*") if path.is_file()
    ]
    expected = {real_data / name for name in (*READ, *REFUSED)}
    chest = [path for path in files if path.parent.name == "tcga_lung_100"]
    assert len(chest) == 27
    assert {path for path in files if not {path, path.parent} & expected} == set()


@pytest.mark.parametrize("name", READ)
def test_a_real_image_is_read(real_data, name):
    slices, size_px, pixel_mm, lowest, highest = READ[name]
    image = read_image(real_data / name)
    assert image.hu.shape == (slices, size_px, size_px)
    assert image.pixel_mm == pytest.approx(pixel_mm)
    assert (image.hu.min(), image.hu.max()) == (lowest, highest)


@pytest.mark.parametrize("name", REFUSED)
def test_a_real_image_is_refused_with_its_reason(real_data, name):
    with pytest.raises(InputError, match=REFUSED[name]):
        read_image(real_data / name)


def test_chest_slices_are_in_hu_with_air_around_and_in_the_lungs(real_data, tmp_path):
    """A body of water density with lungs: an offset of 1000 HU or a swapped sign would show."""
    for path in sorted((real_data / "ct_dicom/tcga_lung_100").glob("*.dcm")):
        image = read_image(path)
        assert image.hu.shape == (1, 512, 512)
        assert 0.5 < image.pixel_mm < 1
        assert -1024 <= image.hu.min() < -950
        soft = image.hu[(image.hu > -200) & (image.hu < 300)]
        assert len(soft) > 0.15 * image.hu.size
        # Muscle or, in some, fat.
        assert -110 < np.median(soft) < 90
    write_image(image, tmp_path / "a.nii")
    np.testing.assert_array_equal(read_image(tmp_path / "a.nii").hu, image.hu)


def test_a_patient_on_the_belly_is_shown_with_the_front_on_top(real_data):
    """Where the file runs from left to right and back to front, rows and columns are turned."""
    import pydicom

    path = real_data / "ct_dicom/tcga_lung_100/ID_0050_AGE_0074_CONTRAST_0_CT.dcm"
    stored = pydicom.dcmread(path)
    assert list(stored.ImageOrientationPatient) == [-1, 0, 0, 0, -1, 0]
    turned = stored.pixel_array[::-1, ::-1] - 1024.0
    np.testing.assert_array_equal(read_image(path).hu[0], np.where(turned < -1024, -1000, turned))
