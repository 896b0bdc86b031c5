"""Volumes of a subject on one grid."""

import gzip

import nibabel
import numpy as np
import pytest

from medscale.errors import InputError
from medscale.files.volumes import Volume, describe_nifti, write_nifti
from medscale.phantoms.brain_volumes import write_subject
from medscale.scans.heads import find_centre, find_head
from medscale.scans.volumes import (
    Grid,
    find_head_mm,
    prepare_volume,
    prepare_volumes,
    read_prepared_volume,
    read_upright,
    resample,
    write_prepared_volume,
)


def _ball(shape, voxel_mm, middle, radius_mm):
    """A bright ball on black, in the axes of the array."""
    axes = np.ogrid[tuple(slice(n) for n in shape)]
    away = np.sqrt(sum((voxel_mm * (axis - m)) ** 2 for axis, m in zip(axes, middle, strict=True)))
    return np.clip((radius_mm - away) / voxel_mm + 0.5, 0, 1).astype(np.float32)


def _head(shape=(40, 48, 60), voxel_mm=4.0, spot=(26, 30, 40)):
    """A ball with a neck and a brighter spot to the right, in front and above."""
    values = 100 * _ball(shape, voxel_mm, (20, 24, 36), 70)
    values[14:26, 16:26, :30] = np.maximum(values[14:26, 16:26, :30], 80)
    return values + 100 * _ball(shape, voxel_mm, spot, 10)


def _upright_affine(voxel_mm=4.0, origin=(-70, -90, -110)):
    affine = np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0])
    affine[:3, 3] = origin
    return affine


@pytest.fixture(scope="module")
def head_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("head") / "upright.nii.gz"
    write_nifti(Volume(_head(), _upright_affine()), path)
    return path


def _turned(values, affine, codes):
    """The same volume with its axes along other directions."""
    now = nibabel.orientations.io_orientation(affine)
    ornt = nibabel.orientations.ornt_transform(now, nibabel.orientations.axcodes2ornt(codes))
    back = nibabel.orientations.inv_ornt_aff(ornt, values.shape)
    return Volume(nibabel.orientations.apply_orientation(values, ornt), affine @ back)


@pytest.mark.parametrize("codes", ["LPS", "PSR", "IAL", "SRA"])
def test_axes_in_any_order_give_the_same(tmp_path, head_file, codes):
    write_nifti(_turned(_head(), _upright_affine(), codes), tmp_path / "turned.nii")
    assert nibabel.aff2axcodes(nibabel.load(tmp_path / "turned.nii").affine) == tuple(codes)
    one, two = (prepare_volume([path], 6.0, (28, 32, 28)) for path in (head_file, tmp_path / "turned.nii"))
    np.testing.assert_allclose(one, two, atol=1e-4)
    i, j, _ = np.unravel_index(one[0].argmax(), one.shape[1:])
    # Spot: 24 mm right, 24 mm in front of the middle; on a grid of 6 mm it is 4 voxels off.
    assert (i, j) == (pytest.approx(13.5 + 4, abs=1), pytest.approx(15.5 + 4, abs=1.5))


def test_scale_factors_and_units_of_the_header_count(tmp_path, head_file):
    plain = prepare_volume([head_file], 6.0, (28, 32, 28))
    image = describe_nifti(3.7 * _head() - 20, _upright_affine())
    image.set_data_dtype(np.int16)
    image.to_filename(tmp_path / "scaled.nii")
    scaled = prepare_volume([tmp_path / "scaled.nii"], 6.0, (28, 32, 28))
    # Rounding may move a voxel at the rim into the head or out of it.
    assert np.mean(np.abs(scaled - plain) > 0.02) < 0.002
    metres = nibabel.Nifti1Image(_head(), np.diag([0.001, 0.001, 0.001, 1]) @ _upright_affine())
    metres.header.set_xyzt_units("meter")
    metres.to_filename(tmp_path / "metres.nii")
    prepared = prepare_volume([tmp_path / "metres.nii"], 6.0, (28, 32, 28))
    assert np.mean(np.abs(prepared - plain) > 0.02) < 0.002


def test_volumes_of_unequal_grids_come_to_lie_on_each_other(tmp_path):
    paths = [tmp_path / "t1.nii.gz", tmp_path / "flair.nii.gz"]
    write_subject("sub_1", "patient", *paths, 0, 4.0)
    channels = prepare_volume(paths, 6.0, (28, 34, 28))
    assert channels.shape == (2, 28, 34, 28)
    assert channels.dtype == np.float32
    shown = (channels != 0).all(axis=0)
    assert np.corrcoef(channels[0][shown], channels[1][shown])[0, 1] > 0.6
    middle = np.argwhere(shown).mean(axis=0)
    np.testing.assert_allclose(middle[:2], (13.5, 16.5), atol=1)
    moved = nibabel.load(paths[1])
    nibabel.Nifti1Image(moved.get_fdata(), _shift(15) @ moved.affine).to_filename(paths[1])
    again = prepare_volume(paths, 6.0, (28, 34, 28))
    np.testing.assert_array_equal(again[0], channels[0])
    shown = (again != 0).all(axis=0)
    assert np.corrcoef(again[0][shown], again[1][shown])[0, 1] < 0.5


def _shift(mm):
    shift = np.eye(4)
    shift[0, 3] = mm
    return shift


def test_channels_are_standardised_within_their_heads(head_file):
    (channel,) = prepare_volume([head_file], 6.0, (28, 32, 28))
    inside = channel[channel != 0]
    assert inside.mean() == pytest.approx(0, abs=1e-3)
    assert inside.std() == pytest.approx(1, abs=1e-3)
    assert (channel[:2] == 0).all()
    assert 0.2 < inside.size / channel.size < 0.7


@pytest.mark.parametrize("length", [40, 52, 60])
def test_the_middle_does_not_depend_on_how_much_neck_is_shown(length):
    values, affine = _head()[:, :, 60 - length :], _upright_affine()
    affine[2, 3] += 4.0 * (60 - length)
    x, y, z = find_head_mm(Volume(values, affine))
    # Crown at voxel 36 + 17.5, and 160 mm below it unless the volume ends there.
    assert (x, y) == (pytest.approx(-70 + 80, abs=3), pytest.approx(-90 + 96, abs=5))
    crown, lowest = -110 + 4 * 53.5, -110 + 4 * (60 - length)
    assert z == pytest.approx((crown + max(crown - 160, lowest)) / 2, abs=6)


def test_a_head_holds_what_it_encloses_and_no_specks():
    values = _head()
    values[18:23, 22:27, 34:39] = 0
    values[0:2, 0:2, 0:2] = 60
    head = find_head(values + 5, 4.0)
    assert head[20, 24, 36]
    assert not head[0, 0, 0]
    assert not head[2, 24, 36]
    assert not find_head(np.full((4, 4, 4), 7, np.float32), 4.0).any()
    centre = find_centre(np.pad(np.ones((3, 5, 7), bool), ((1, 0), (2, 0), (3, 0))), 4.0)
    np.testing.assert_array_equal(centre, (2, 4, 6))


def test_a_coarser_grid_averages_what_lies_between():
    """A pattern of single voxels would come through, or vanish, by where samples happen to fall."""
    values = np.indices((40, 40, 40)).sum(axis=0) % 2 * 2.0
    coarse = resample(Volume(values.astype(np.float32), np.eye(4)), Grid(4.0, (5, 5, 5), (19.5, 19.5, 19.5)))
    np.testing.assert_allclose(coarse, 1, atol=0.01)
    fine = resample(Volume(values.astype(np.float32), np.eye(4)), Grid(1.0, (5, 5, 5), (20, 20, 20)))
    np.testing.assert_array_equal(fine, values[18:23, 18:23, 18:23])
    half = resample(Volume(values.astype(np.float32), np.eye(4)), Grid(1.0, (4, 1, 1), (19.5, 20.5, 20)))
    np.testing.assert_allclose(half, 1)
    outside = resample(Volume(values.astype(np.float32) + 1, np.eye(4)), Grid(1.0, (3, 1, 1), (0, 5, 5)))
    assert (outside[:, 0, 0] == 0).tolist() == [True, False, False]


def test_values_that_are_no_numbers_become_zero(tmp_path, head_file):
    values = np.where(_head() > 0, _head(), np.nan).astype(np.float32)
    write_nifti(Volume(values, _upright_affine()), tmp_path / "nan.nii")
    assert np.isfinite(read_upright(tmp_path / "nan.nii").values).all()
    plain = prepare_volume([head_file], 6.0, (28, 32, 28))
    np.testing.assert_allclose(prepare_volume([tmp_path / "nan.nii"], 6.0, (28, 32, 28)), plain, atol=1e-4)


def test_volumes_that_cannot_be_used_are_refused(tmp_path, head_file):
    flat = tmp_path / "flat.nii"
    write_nifti(Volume(np.full((8, 8, 8), 7, np.int16), np.eye(4)), flat)
    with pytest.raises(InputError, match=r"flat\.nii: found the value 7 in all voxels"):
        prepare_volume([flat], 6.0, (28, 32, 28))
    far = tmp_path / "far.nii"
    write_nifti(Volume(_head(), _upright_affine(origin=(400, 0, 0))), far)
    with pytest.raises(
        InputError, match=r"far\.nii: found 0% of the head that .*upright.* at the same place"
    ):
        prepare_volume([head_file, far], 6.0, (28, 32, 28))
    nowhere = nibabel.Nifti1Image(_head(), None)
    nowhere.to_filename(tmp_path / "nowhere.nii")
    with pytest.raises(InputError, match=r"nowhere\.nii: found no place in space"):
        prepare_volume([tmp_path / "nowhere.nii"], 6.0, (28, 32, 28))


def test_all_subjects_are_tried_before_the_first_error(tmp_path, head_file, caplog):
    outputs = [tmp_path / f"{name}.npy" for name in ("a", "b", "c")]
    subjects = {"a": [tmp_path / "none.nii"], "b": [head_file], "c": [tmp_path / "neither.nii"]}
    with pytest.raises(InputError, match="2 items, of which the first is"):
        prepare_volumes(subjects, outputs, 8.0, (20, 24, 20))
    assert "subject a:" in caplog.text
    assert "subject c:" in caplog.text
    assert [path.exists() for path in outputs] == [False, True, False]
    assert read_prepared_volume(outputs[1]).shape == (1, 20, 24, 20)


def test_prepared_volumes_read_back_and_others_are_refused(tmp_path):
    channels = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32)
    for name in ("one", "two"):
        write_prepared_volume(channels, tmp_path / f"{name}.npy")
    assert (tmp_path / "one.npy").read_bytes() == (tmp_path / "two.npy").read_bytes()
    np.testing.assert_array_equal(read_prepared_volume(tmp_path / "one.npy"), channels)
    np.save(tmp_path / "pickled.npy", np.array([{}], object), allow_pickle=True)
    np.save(tmp_path / "flat.npy", channels[0])
    (tmp_path / "cut.npy").write_bytes((tmp_path / "one.npy").read_bytes()[:200])
    (tmp_path / "packed.npy").write_bytes(gzip.compress(b"no array"))
    for name in ("pickled", "flat", "cut", "packed", "missing"):
        with pytest.raises(InputError, match="float32 of four axes"):
            read_prepared_volume(tmp_path / f"{name}.npy")


def test_real_t1_and_flair_lie_on_each_other(real_data):
    folder = real_data / "brain_mri_3d/nichart_demo"
    channels = prepare_volume(
        [folder / "t1/Subj8_T1.nii.gz", folder / "fl/Subj8_FL.nii.gz"], 6.0, (30, 36, 30)
    )
    t1, flair = (channel != 0 for channel in channels)
    assert (t1 & flair).sum() / flair.sum() > 0.9
    # Fluid is dark in both, so that they agree where the brain is.
    shown = t1 & flair
    assert np.corrcoef(channels[0][shown], channels[1][shown])[0, 1] > 0.3
    moved = np.roll(channels[1], 3, axis=1)
    shown = t1 & (moved != 0)
    assert np.corrcoef(channels[0][shown], moved[shown])[0, 1] < 0.3
