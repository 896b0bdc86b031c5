"""Real labels of KiTS19 through reading, resizing, blocks and statistics, against counts of other code.

The counts are those of numpy and OpenCV alone on the same files (shared/reference/kits19-case-stats.csv).
"""

import nibabel
import numpy as np
import pandas as pd
import pytest

from medscale.files.gathered_slices import each_slice
from medscale.files.volumes import write_nifti
from medscale.kits19.case_sheet import read_spacings
from medscale.kits19.cases import read_segmentation, to_original
from medscale.kits19.label_damage import measure_label_damage
from medscale.kits19.resizing import resize_as_thesis
from medscale.kits19.slices_and_blocks import Balancing, choose_slices, cut_blocks, tabulate_slices

# Of uint8 with sform and qform, and of uint16 with a qform alone.
CASES = ("case_00061", "case_00015")
SHAPES = {"case_00061": (29, 512, 512), "case_00015": (75, 512, 512)}
VOXELS = {"case_00061": (124943, 23276), "case_00015": (271289, 11562)}
# Pixels at 128 × 128 where the thesis finds kidney alone, tumour alone, and both; slices with either, tumour.
THESIS_PX = {"case_00061": (8005, 1456, 52), "case_00015": (17356, 717, 37)}
SLICES = {"case_00061": (26, 13), "case_00015": (38, 12)}


@pytest.fixture(scope="module")
def segmentations(real_data):
    return {case: real_data / "kits19" / case / "segmentation.nii.gz" for case in CASES}


@pytest.fixture(scope="module")
def read(segmentations):
    return {case: read_segmentation(path) for case, path in segmentations.items()}


@pytest.mark.parametrize("case", CASES)
def test_labels_and_spacing(read, real_data, case):
    labels, grid = read[case]
    assert labels.shape == grid.case_shape == SHAPES[case]
    assert tuple(np.bincount(labels.ravel(), minlength=3)[1:]) == VOXELS[case]
    assert grid.spacing_mm == pytest.approx(read_spacings(real_data / "kits19/kits.json")[case], rel=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_labels_go_back_onto_the_original_grid(read, segmentations, tmp_path, case):
    write_nifti(to_original(*read[case]), tmp_path / "prediction.nii.gz")
    back, original = (nibabel.load(path) for path in (tmp_path / "prediction.nii.gz", segmentations[case]))
    np.testing.assert_array_equal(np.asarray(back.dataobj), np.asarray(original.dataobj))
    np.testing.assert_allclose(back.affine, original.affine, atol=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_resizing_as_the_thesis(read, case):
    resized = [resize_as_thesis(labels, (128, 128)) for labels in each_slice(read[case][0])]
    labels, unmatched = (np.stack(parts) for parts in zip(*resized, strict=True))
    both = int(unmatched.sum())
    assert ((labels == 1).sum() - both, (labels == 2).sum(), both) == THESIS_PX[case]


def test_slices_and_blocks(read):
    slices = pd.concat([tabulate_slices(case, labels) for case, (labels, _) in read.items()])
    chosen = choose_slices(slices, Balancing(True, 4)).groupby("case")
    for case in CASES:
        rows = chosen.get_group(case)
        assert (len(rows), int((rows["repeats"] == 5).sum())) == SLICES[case]
    blocks = cut_blocks(slices, 32, 12, Balancing(True, 4))
    # Case 61 has 29 slices, fewer than a block: the thesis skips it, here it is padded.
    assert blocks["case"].tolist() == ["case_00061", "case_00015", "case_00015"]
    assert blocks["first"].iloc[0] == 0
    shown = slices[(slices["case"] == "case_00015") & (slices["kidney_px"] + slices["tumour_px"] > 0)][
        "slice"
    ]
    assert blocks["first"].iloc[1] == shown.min()
    assert blocks["first"].iloc[2] + 32 == shown.max() + 1


def test_128_pixels_cost_a_few_percent_of_dice(segmentations):
    damage = measure_label_damage({"case_00061": segmentations["case_00061"]}, [128])
    by_way = damage.set_index("interpolation")
    assert by_way.at["area", "kidney_dice"] == pytest.approx(0.9650, abs=5e-4)
    assert by_way.at["area", "tumour_dice"] == pytest.approx(0.9571, abs=5e-4)
    assert by_way["kidney_dice"].idxmax() == "area"
    assert by_way.at["thesis", "unmatched_percent"] == pytest.approx(100 * 52 / (8005 + 1456 + 52), rel=1e-6)
    assert by_way.at["thesis", "kidney_volume_error_percent"] > 3
