"""Finding images and masks in folders."""

import shutil

import numpy as np
import pytest

from medscale.errors import InputError
from medscale.scans.image_folders import find_scans
from tests.unit.scans.picture_files import draw_blobs, draw_mask, write_brains, write_breasts, write_pixels


@pytest.fixture
def breasts(tmp_path):
    return write_breasts(tmp_path / "busi", 2)


def test_brains(tmp_path):
    found = find_scans(write_brains(tmp_path, 11)).set_index("image")
    assert found["class"].value_counts().to_dict() == {"yes": 11, "no": 11}
    assert found.index.tolist()[:3] == ["N1", "N2", "N3"]
    assert found.index.tolist()[-2:] == ["Y10", "Y11"]
    assert found.at["Y2", "path"] == str(tmp_path / "yes/Y2.png")
    assert found["masks"].map(len).eq(0).all()


def test_breasts_with_several_masks_in_an_inner_folder(breasts):
    folder = breasts / "malignant"
    for number in (1, 2):
        write_pixels(folder / f"malignant (1)_mask_{number}.png", draw_mask())
    (breasts / "__MACOSX").mkdir()
    (breasts / ".git").mkdir()
    found = find_scans(breasts.parent).set_index("image")
    assert found.index.tolist() == [
        *("normal_1", "normal_2", "benign_1", "benign_2", "malignant_1", "malignant_2")
    ]
    names = ["malignant (1)_mask.png", "malignant (1)_mask_1.png", "malignant (1)_mask_2.png"]
    assert found.at["malignant_1", "masks"] == tuple(str(folder / name) for name in names)
    assert found.at["normal_1", "masks"] == ()


def test_a_normal_image_may_have_an_empty_mask(breasts):
    write_pixels(breasts / "normal/normal (1)_mask.png", draw_mask() * 0)
    assert find_scans(breasts).set_index("image").at["normal_1", "masks"]
    write_pixels(breasts / "normal/normal (1)_mask.png", draw_mask())
    with pytest.raises(InputError, match=r"normal \(1\)\.png: found a mask with white pixels"):
        find_scans(breasts)


def test_names_are_unique_whatever_the_files_are_called(tmp_path):
    folder = write_brains(tmp_path, 3)
    for path in ("yes/no 1.png", "yes/NO_1.jpg", "no/no 1.jpg", "no/no 1.png", "no/図.png"):
        write_pixels(folder / path, draw_blobs(path))
    names = find_scans(folder)["image"]
    assert names.map(str.lower).is_unique
    assert {"no_no_1", "no_no_1_2", "yes_NO_1", "yes_no_1_2", "image"} <= set(names)


def test_a_missing_class_and_other_files_are_passed_over(breasts, caplog):
    shutil.rmtree(breasts / "normal")
    (breasts / "benign/Thumbs.db").touch()
    (breasts / "benign/.DS_Store").touch()
    assert len(find_scans(breasts)) == 4
    assert "no images of class normal" in caplog.text
    assert "Thumbs.db is passed over" in caplog.text
    assert "DS_Store" not in caplog.text


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (
            lambda folder: (folder / "cysts").mkdir(),
            r"found the folders benign/, cysts/, malignant/, normal/",
        ),
        (lambda folder: (folder / "yes").mkdir(), r"normal/, yes/; expected no/, yes/ \(brain_mri\) or"),
        (lambda folder: shutil.rmtree(folder), "no such folder"),
        (lambda folder: [shutil.rmtree(path) for path in folder.iterdir()], "found no folders"),
        (lambda folder: [shutil.rmtree(folder / name) for name in ("benign", "normal")], "malignant/"),
        (
            lambda folder: [
                path.unlink() for name in ("benign", "normal") for path in folder.glob(f"{name}/*")
            ],
            r"images of \['malignant'\]",
        ),
        (
            lambda folder: (folder / "benign/benign (2).png").write_text("no picture"),
            r"benign \(2\)\.png: found a file that begins with b'no pictu'",
        ),
        (
            lambda folder: (folder / "benign/benign (2).png").unlink(),
            r"benign \(2\)_mask\.png: found a mask without its image; expected benign \(2\)\.png",
        ),
        (
            lambda folder: (folder / "benign/benign (2)_mask.png").unlink(),
            r"benign \(2\)\.png: found no benign \(2\)_mask\.png; expected the outline of the tumour",
        ),
        (
            lambda folder: write_pixels(folder / "benign/benign (2)_mask.png", draw_mask() * 0),
            r"benign \(2\)\.png: found masks without a white pixel",
        ),
        (
            lambda folder: write_pixels(folder / "benign/benign (2)_mask_1.png", draw_mask(100, 80)),
            r"benign \(2\)_mask_1\.png: found 100 × 80 pixels; expected 96 × 80 pixels",
        ),
    ],
)
def test_what_cannot_be_used_is_explained(breasts, spoil, reason):
    spoil(breasts)
    with pytest.raises(InputError, match=reason):
        find_scans(breasts)


def test_an_archive_with_a_second_copy_says_which_folder_to_give(tmp_path):
    folder = write_brains(tmp_path, 3)
    shutil.copytree(folder / "no", folder / "brain_tumor_dataset/no")
    shutil.copytree(folder / "yes", folder / "brain_tumor_dataset/yes")
    with pytest.raises(InputError, match="where a folder in it holds a copy of the whole, give that one"):
        find_scans(folder)
    assert len(find_scans(folder / "brain_tumor_dataset")) == 6


def test_real_folders(real_data):
    brains = find_scans(real_data / "brain_mri_2d")
    assert brains["class"].value_counts().to_dict() == {"yes": 103, "no": 65}
    breasts = find_scans(real_data / "busi")
    assert breasts["class"].value_counts().to_dict() == {"benign": 42, "malignant": 30, "normal": 20}
    assert np.bincount(breasts["masks"].map(len)).tolist() == [0, 84, 7, 1]
    assert breasts.set_index("image").at["benign_4", "masks"][1].endswith("benign (4)_mask_1.png")
