import numpy as np
import pytest

from medscale.errors import InputError
from medscale.files.volumes import Volume, write_nifti
from medscale.kits19.cases import Grid
from medscale.kits19.floors import FLOORS
from medscale.kits19.score_table import score_cases, score_floors
from medscale.kits19.scores import score_case
from tests.unit.kits19.scored_cases import SPACING, draw_truth, spoil

KITS19 = np.array([[0, 0, -1.0, 0], [0, -1.0, 0, 0], [-3.0, 0, 0, 0], [0, 0, 0, 1]])
UPRIGHT = np.diag([-1.0, 1.0, 3.0, 1.0])


def write(labels, affine, path):
    """Write labels (slices, rows, columns) as a file of any orientation."""
    shape = labels.shape if affine is KITS19 else labels.shape[::-1]
    write_nifti(Volume(Grid(shape, affine).to_file(labels), affine), path)
    return path


@pytest.mark.parametrize("affine", [KITS19, UPRIGHT], ids=["KiTS19", "upright"])
def test_files_are_scored_in_mm_whichever_way_they_run(tmp_path, affine):
    truths = [draw_truth(number) for number in (3, 4)]
    called = [spoil(truth, 5, 0.5) for truth in truths]
    names = ["case_00003", "case_00004"]
    paths = [
        [
            write(own, affine, tmp_path / f"{kind}_{case}.nii.gz")
            for case, own in zip(names, all_, strict=True)
        ]
        for kind, all_ in (("truth", truths), ("prediction", called))
    ]
    table = score_cases(names, *paths).set_index("case")
    for case, truth, prediction in zip(names, truths, called, strict=True):
        assert table.loc[case].to_dict() == pytest.approx(score_case(truth, prediction, SPACING))


def test_a_prediction_elsewhere_is_refused(tmp_path):
    truth = draw_truth(0)
    write(truth, KITS19, tmp_path / "truth.nii.gz")
    moved = KITS19.copy()
    moved[0, 3] = 5
    for labels, affine, found in ((truth, moved, "corners up to 5 mm"), (truth[1:], KITS19, "9 × 24 × 24")):
        write_nifti(Volume(labels, affine), tmp_path / "prediction.nii.gz")
        with pytest.raises(InputError, match=found):
            score_cases(["case_00000"], [tmp_path / "truth.nii.gz"], [tmp_path / "prediction.nii.gz"])


def test_floors_have_a_row_for_each_case_and_predictor(tmp_path):
    truths = [draw_truth(number) for number in (1, 2)]
    paths = [write(truth, KITS19, tmp_path / f"{n}.nii.gz") for n, truth in enumerate(truths)]
    table = score_floors(["b", "a"], paths)
    assert table[["network", "case"]].apply(tuple, axis=1).tolist() == [
        ("all_background", "a"),
        ("all_background", "b"),
        ("no_tumour", "a"),
        ("no_tumour", "b"),
    ]
    row = table.iloc[3][2:].to_dict()
    assert row == pytest.approx(score_case(truths[0], FLOORS["no_tumour"](truths[0]), SPACING))


def test_a_real_segmentation_against_itself_and_against_a_shift(tmp_path, real_data):
    import nibabel

    path = real_data / "kits19/case_00015/segmentation.nii.gz"
    (row,) = score_cases(["case_00015"], [path], [path]).to_dict("records")
    for region in ("kidney_and_tumour", "kidney", "tumour"):
        assert row[f"dice_{region}"] == row[f"surface_dice_{region}"] == 1
        assert row[f"volume_ml_{region}"] > 1
    image = nibabel.load(path)
    truth = np.asarray(image.dataobj).astype(np.uint8)
    write_nifti(Volume(np.roll(truth, 3, axis=2), image.affine), tmp_path / "shifted.nii.gz")
    (row,) = score_cases(["case_00015"], [path], [tmp_path / "shifted.nii.gz"]).to_dict("records")
    both = (truth[..., 3:] == 2) & (truth[..., :-3] == 2)
    assert row["dice_tumour"] == pytest.approx(both.sum() / (truth == 2).sum())
    assert 0 < row["surface_dice_tumour"] < 1
    assert row["volume_error_ml_tumour"] == pytest.approx(0)
