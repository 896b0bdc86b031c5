"""What is wrong with KiTS19 cases is explained by file, value, expectation and mending; no result is left."""

import nibabel
import numpy as np
import pytest

from medscale.errors import InputError
from medscale.kits19.balancing import SampleSettings, balance_cases
from medscale.kits19.prepare import PrepareSettings, prepare_cases
from tests.kits19_files import AFFINE, make_hu, make_labels, write_case, write_volume

SETTINGS = PrepareSettings(16, (-512, 512), "area", "area")


def prepare(folder, *names):
    rows = {
        "case": list(names),
        "imaging": [str(folder / name / "imaging.nii.gz") for name in names],
        "segmentation": [str(folder / name / "segmentation.nii.gz") for name in names],
    }
    paths = [folder / f"{name}.h5" for name in names]
    prepare_cases(rows, paths, SETTINGS)
    return paths


def truncate(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])


def other_shape(case):
    write_volume(case / "segmentation.nii.gz", make_labels()[:, :, :-1])


def other_affine(case):
    write_volume(case / "segmentation.nii.gz", make_labels(), np.diag([1, 1, -1, 1]) @ AFFINE)


def other_labels(case):
    write_volume(case / "segmentation.nii.gz", make_labels() + np.uint8(1))


def probabilities(case):
    write_volume(case / "segmentation.nii.gz", make_labels() * np.float32(0.4))


def missing(case):
    (case / "imaging.nii.gz").unlink()


def four_axes(case):
    write_volume(case / "imaging.nii.gz", np.stack([make_hu()] * 2, axis=-1))


def cut_ct(case):
    truncate(case / "imaging.nii.gz", 0.6)


def cut_labels(case):
    # Labels that pack badly, so that the header is not cut too.
    noise = np.random.default_rng(0).integers(0, 3, make_labels().shape, np.uint8)
    write_volume(case / "segmentation.nii.gz", noise)
    truncate(case / "segmentation.nii.gz", 0.6)


def cut_header(case):
    (case / "imaging.nii.gz").write_bytes((case / "imaging.nii.gz").read_bytes()[:60])


def windowed(case):
    write_volume(case / "imaging.nii.gz", make_hu().clip(0, 255).astype("u1"))


def not_a_number(case):
    hu = make_hu().astype("f4")
    hu[2, 3, 4:6] = np.nan
    write_volume(case / "imaging.nii.gz", hu)


def coloured(case):
    colours = np.zeros((4, 5, 6), np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]))
    nibabel.save(nibabel.Nifti1Image(colours, AFFINE), case / "imaging.nii.gz")


def nowhere(case):
    image = nibabel.load(case / "imaging.nii.gz")
    image.set_sform(None, 0)
    image.set_qform(None, 0)
    nibabel.save(image, case / "imaging.nii.gz")


def text(case):
    (case / "imaging.nii.gz").write_text("<html>404</html>")


AGAIN, GRID, LABELS = "Fetch the volume again", "that were drawn on this volume", "Give KiTS19's labels"
HU = "Give the volume as it came from the scanner"


@pytest.mark.parametrize(
    ("spoil", "found", "mend"),
    [
        (other_shape, "segmentation.nii.gz: found 7 × 24 × 19 voxels", GRID),
        (other_affine, "mm on, with corners up to", GRID),
        (other_labels, "segmentation.nii.gz: found the labels 1, 2, 3", LABELS),
        (probabilities, "segmentation.nii.gz: found the labels 0, 0.4, 0.8", LABELS),
        (missing, "imaging.nii.gz: found no such file", "Correct the path"),
        (four_axes, "found 4 axes of the lengths 7 × 24 × 20 × 2", "each into its own"),
        (cut_ct, "imaging.nii.gz: found a damaged or truncated file", AGAIN),
        (cut_labels, "segmentation.nii.gz: found a damaged or truncated file", AGAIN),
        (cut_header, "imaging.nii.gz: found no readable NIfTI header", AGAIN),
        (windowed, "without any air", HU),
        (not_a_number, "found 2 values that are no number", HU),
        (coloured, "found colours (RGB)", "Give the volume that it was made from"),
        (nowhere, "qform_code and sform_code are 0", "Set its sform"),
        (text, "no readable NIfTI header", AGAIN),
    ],
)
def test_a_bad_case_is_explained_and_leaves_nothing(tmp_path, spoil, found, mend):
    write_case(tmp_path / "good")
    write_case(tmp_path / "bad")
    spoil(tmp_path / "bad")
    with pytest.raises(InputError) as caught:
        prepare(tmp_path, "bad", "good")
    assert found in str(caught.value)
    assert mend in str(caught.value)
    assert (tmp_path / "good.h5").exists()
    assert [path.name for path in tmp_path.glob("*bad*")] == ["bad"]


def test_a_case_with_few_useful_slices_is_kept_and_padded(tmp_path):
    write_case(tmp_path / "a")
    blocks = balance_cases(prepare(tmp_path, "a"), SampleSettings(True, 4, 32, 12), seed=0).blocks
    assert blocks[["first", "slices", "repeats"]].to_numpy().tolist() == [[0, 32, 5]]


def test_no_tumour_anywhere_is_said_and_weighs_nothing(tmp_path, caplog):
    write_case(tmp_path / "a", labels=np.minimum(make_labels(), 1))
    samples = balance_cases(prepare(tmp_path, "a"), SampleSettings(True, 4, 32, 12), seed=0)
    assert samples.weights["blocks"]["class_weights"][2] == 0
    assert set(samples.slices["repeats"]) == {1}
    assert "no tumour in any of 1 cases" in caplog.text


def test_no_label_anywhere_stops_what_would_train_on_nothing(tmp_path):
    write_case(tmp_path / "a", labels=np.zeros_like(make_labels()))
    paths = prepare(tmp_path, "a")
    with pytest.raises(InputError, match=r"neither kidney nor tumour.*drop_background to false"):
        balance_cases(paths, SampleSettings(True, 4, 32, 12), seed=0)
    assert len(balance_cases(paths, SampleSettings(False, 0, 32, 12), seed=0).slices) == 7
