import cv2
import nibabel
import numpy as np
import pytest

from medscale.__main__ import main
from medscale.errors import InputError
from medscale.kits19.cases import read_case
from medscale.kits19.other_cases import make_case_from_pictures, make_case_from_volumes
from tests.kits19_files import make_hu, make_labels, turn, write_volume

BLUE, RED, GREEN = (0, 0, 255), (255, 0, 0), (0, 255, 0)
COLOURS = {"kidney": [BLUE], "tumour": [RED], "window_hu": (-79, 304)}
# Written in this order, which is not that of their numbers, and with gaps between.
NUMBERS = (20, 3, 100)


@pytest.fixture
def volumes(tmp_path):
    """A CT and labels 0, 2 (right kidney), 3 (tumour) and 9 (something else), in other axes than KiTS19's."""
    numbers = np.array([0, 2, 3], np.uint8)[make_labels()]
    numbers[0, :3] = 9
    affine = np.array([[0, 0, -0.8, 30.0], [0, -0.9, 0, 20], [-3, 0, 0, 10], [0, 0, 0, 1]])
    parts = {"ct": make_hu(), "labels": numbers}
    return [
        write_volume(tmp_path / f"{name}.nii.gz", *turn(part, affine, "RAS")) for name, part in parts.items()
    ]


@pytest.fixture
def pictures(tmp_path):
    """Slices whose brightness is their place, each with one pixel of kidney, the last with tumour too."""
    for place, number in zip((1, 0, 2), NUMBERS, strict=True):
        grey = np.full((6, 8), 100 + place, np.uint8)
        grey[0] = 0
        mask = np.zeros((6, 8, 3), np.uint8)
        mask[2, 5] = BLUE
        mask[4, 1:3] = RED if place == 2 else 0
        write_picture(tmp_path / f"images/7_{number}.png", grey)
        write_picture(tmp_path / f"masks/7_{number}.png", mask)
    return tmp_path / "images", tmp_path / "masks"


def write_picture(path, pixels):
    path.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(path), pixels if pixels.ndim == 2 else pixels[..., ::-1])


def read(folder):
    return read_case(folder / "imaging.nii.gz", folder / "segmentation.nii.gz")


def test_labels_of_other_numbers(volumes, tmp_path):
    folder = tmp_path / "cases/case_00007"
    make_case_from_volumes(*volumes, folder, kidney=[2], tumour=[3])
    case = read(folder)
    np.testing.assert_array_equal(case.labels, make_labels())
    np.testing.assert_array_equal(case.hu, make_hu())
    for name in ("imaging", "segmentation"):
        np.testing.assert_allclose(
            nibabel.load(folder / f"{name}.nii.gz").affine, nibabel.load(volumes[0]).affine, atol=1e-5
        )


def test_several_labels_become_one(volumes, tmp_path):
    make_case_from_volumes(*volumes, tmp_path / "case_00007", kidney=[2, 3])
    np.testing.assert_array_equal(read(tmp_path / "case_00007").labels, np.minimum(make_labels(), 1))


@pytest.mark.parametrize(
    ("kidney", "tumour", "message"),
    [
        ([2, 4], [], r"labels\.nii\.gz: found the labels 0 2 3 9; expected 4 among them"),
        ([5], [], "expected 5 among them"),
        ([2], [2], "found 2 as kidney and tumour"),
        ([], [3], "no label of the kidney"),
        ([0, 2], [], "found the background"),
    ],
)
def test_labels_that_are_not_there_are_refused(volumes, tmp_path, kidney, tumour, message):
    with pytest.raises(InputError, match=message):
        make_case_from_volumes(*volumes, tmp_path / "case_00007", kidney=kidney, tumour=tumour)
    assert not (tmp_path / "case_00007").exists()


def test_volumes_that_make_no_case_are_refused(volumes, tmp_path):
    ct, labels = volumes
    folder = tmp_path / "case_00007"
    short = write_volume(tmp_path / "short.nii.gz", make_labels()[:5])
    soft = write_volume(tmp_path / "soft.nii.gz", *turn(make_labels() * np.float32(0.4), np.eye(4), "IPL"))
    grey = write_volume(tmp_path / "grey.nii.gz", np.clip(make_hu(), 0, 255).astype("u1"))
    for pair, message in (
        ((ct, tmp_path / "none.nii.gz"), "none.nii.gz: found no such file"),
        ((ct, short), "short.nii.gz: found 5 ×"),
        ((soft, soft), "without any air"),
        ((grey, grey), "without any air"),
    ):
        with pytest.raises(InputError, match=message):
            make_case_from_volumes(*pair, folder, kidney=[2])
    hu = write_volume(tmp_path / "hu.nii.gz", make_hu(), np.eye(4))
    with pytest.raises(InputError, match="found fractions"):
        make_case_from_volumes(hu, soft, folder, kidney=[1])
    with pytest.raises(InputError, match="case_ and five digits"):
        make_case_from_volumes(ct, labels, tmp_path / "patient_7", kidney=[2])


def test_pictures_become_a_case_in_the_axes_of_kits19(pictures, tmp_path):
    folder = tmp_path / "case_00007"
    make_case_from_pictures(*pictures, folder, **COLOURS, spacing_mm=(3.0, 0.9, 0.8))
    assert nibabel.aff2axcodes(nibabel.load(folder / "imaging.nii.gz").affine) == ("I", "P", "L")
    case = read(folder)
    assert case.grid.spacing_mm == pytest.approx((3.0, 0.9, 0.8))
    # A gap in the numbers is none in the volume.
    assert case.hu.shape == case.labels.shape == (3, 6, 8)
    assert case.hu[:, 1, 1].tolist() == [round(-79 + (100 + place) * 383 / 255) for place in range(3)]
    assert (case.hu[:, 0] == -1000).all()
    assert np.argwhere(case.labels == 1).tolist() == [[place, 2, 5] for place in range(3)]
    assert np.argwhere(case.labels == 2).tolist() == [[2, 4, 1], [2, 4, 2]]


def test_white_is_the_end_of_the_window(pictures, tmp_path):
    write_picture(pictures[0] / "7_3.png", np.full((6, 8), 255, np.uint8))
    make_case_from_pictures(*pictures, tmp_path / "case_00007", **COLOURS)
    assert set(read(tmp_path / "case_00007").hu[0].ravel()) == {304}


@pytest.mark.parametrize(
    ("name", "pixels", "message"),
    [
        ("images/7_3.png", np.full((6, 8), 300, np.uint16), "images/7_3.png: found 16 bit"),
        ("images/7_3.png", np.full((6, 8, 3), RED, np.uint8), "images/7_3.png: found colours"),
        ("images/7_3.png", np.zeros((6, 8, 4), np.uint8), "images/7_3.png: found transparency"),
        ("images/7_3.png", np.zeros((5, 8), np.uint8), "found 6 × 8 pixels; expected 5 × 8"),
        ("images/7_4.png", np.zeros((6, 8), np.uint8), r"masks: found no 7_4.png \(1 are missing\)"),
        ("masks/7_4.png", np.zeros((6, 8), np.uint8), r"images: found no 7_4.png \(1 are missing\)"),
        ("masks/7_3.png", np.full((6, 8, 3), GREEN, np.uint8), "masks/7_3.png: found the colour 0,255,0"),
        ("masks/7_3.png", np.full((6, 8), 1, np.uint8), "masks/7_3.png: found the colour 1,1,1"),
        ("images/8_4.png", np.zeros((6, 8), np.uint8), "names that begin with 7_ 8_"),
        ("images/7_003.png", np.zeros((6, 8), np.uint8), "7_3.png, a second time this number"),
        ("images/7_a.png", np.zeros((6, 8), np.uint8), "7_a.png, without a number"),
    ],
)
def test_pictures_that_make_no_case_are_refused(pictures, tmp_path, name, pixels, message):
    write_picture(tmp_path / name, pixels)
    with pytest.raises(InputError, match=message):
        make_case_from_pictures(*pictures, tmp_path / "case_00007", **COLOURS)
    assert not (tmp_path / "case_00007").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kidney": [BLUE, RED], "tumour": [RED]}, "255,0,0 as kidney and tumour"),
        ({"kidney": [GREEN], "tumour": [RED, BLUE]}, "no pixel of the colours 0,255,0, which are kidney"),
        ({"window_hu": (304, -79)}, "--window: found from 304 to -79 HU"),
        ({"spacing_mm": (1, 0, 1)}, "--spacing: found 1 0 1"),
    ],
)
def test_settings_of_pictures(pictures, tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        make_case_from_pictures(*pictures, tmp_path / "case_00007", **COLOURS | change)


def test_damaged_and_missing_pictures(pictures, tmp_path):
    (pictures[0] / "7_3.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"7_3\.png: found no readable picture"):
        make_case_from_pictures(*pictures, tmp_path / "case_00007", **COLOURS)
    with pytest.raises(InputError, match="found no PNG"):
        make_case_from_pictures(tmp_path / "none", tmp_path / "none", tmp_path / "case_00007", **COLOURS)


def test_the_command(volumes, pictures, tmp_path, caplog):
    def run(*arguments):
        return main(["kits19_case", *map(str, arguments), "--output", str(tmp_path / "cases/case_00007")])

    colours = ("--kidney", "0,0,255", "--tumour", "255,0,0")
    assert run(*volumes, "--kidney", "2", "--tumour", "3") == 0
    assert run(*pictures, *colours, "--window", "-79", "304", "--spacing", "2", "1", "1") == 0
    assert read(tmp_path / "cases/case_00007").grid.spacing_mm == pytest.approx((2, 1, 1))
    for wrong, message in (
        ((*pictures, *colours), "what black and white mean in HU"),
        ((*pictures, "--kidney", "2"), "--kidney: found '2'"),
        ((*volumes, "--kidney", "right"), "--kidney: found 'right'"),
        ((*volumes, "--kidney", "2", "--window", "-79", "304"), "with a NIfTI file"),
    ):
        assert run(*wrong) == 1
        assert message in caplog.text


def test_real_slices_and_a_real_scan(real_data, tmp_path):
    slices, scan = tmp_path / "case_10036", tmp_path / "case_90000"
    make_case_from_pictures(
        real_data / "kits19_png/images", real_data / "kits19_png/masks", slices, **COLOURS
    )
    case = read(slices)
    # Counted in the masks with Pillow.
    assert (case.labels == 1).sum() == 62712
    assert (case.labels == 2).sum() == 102449
    assert case.labels[-1].any(axis=0).argmax() > 256, "the tumour is in the left kidney"
    ct = real_data / "ct_nifti/totalseg_example_ct_sm.nii.gz"
    labels = real_data / "ct_nifti/totalseg_example_ct_sm_seg.nii.gz"
    make_case_from_volumes(ct, labels, scan, kidney=[2, 3])
    case = read(scan)
    assert case.labels.shape == (30, 101, 122)
    assert np.bincount(case.labels.ravel()).tolist() == [30 * 101 * 122 - 7623, 7623]
    # Soft tissue, without contrast agent.
    assert 0 < np.median(case.hu[case.labels == 1]) < 40
