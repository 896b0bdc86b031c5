import numpy as np
import pandas as pd
import pytest
from sklearn.utils.class_weight import compute_class_weight

from medscale.errors import InputError
from medscale.kits19.balancing import (
    SampleSettings,
    balance_cases,
    choose_cases,
    class_weights,
    count_block_pixels,
    count_slice_pixels,
)
from medscale.kits19.prepared_files import PreparedInfo, write_prepared
from medscale.kits19.slices_and_blocks import Balancing, choose_slices, cut_blocks, tabulate_slices


def draw_labels(slices, size_px=6, kidney=(), tumour=()):
    labels = np.zeros((slices, size_px, size_px), np.uint8)
    labels[list(kidney), :2], labels[list(tumour), 2] = 1, 2
    return labels


def write(path, labels, size_px=6, labelled=True):
    info = PreparedInfo(path.stem, (len(labels), 24, 24), (3.0, 1.0, 1.0), (-512.0, 512.0), "area")
    parts = ((np.zeros_like(one), one) for one in labels)
    write_prepared(path, info, size_px, parts, labelled=labelled)
    return path


@pytest.fixture
def cases(tmp_path):
    return [
        write(tmp_path / "one.h5", draw_labels(9, kidney=range(2, 7), tumour=(6,))),
        write(tmp_path / "two.h5", draw_labels(3, kidney=(0,))),
        write(tmp_path / "three.h5", draw_labels(5)),
    ]


def test_cases_become_tables_and_weights(cases, caplog):
    samples = balance_cases(cases, SampleSettings(True, 4, depth=4, overlap=2), seed=0)
    assert samples.slices[["case", "slice", "repeats"]].to_numpy().tolist() == [
        *(["one", number, 1] for number in range(2, 6)),
        ["one", 6, 5],
        ["two", 0, 1],
    ]
    blocks = samples.blocks[["case", "first", "tumour_px", "repeats"]].to_numpy().tolist()
    assert blocks == [["one", 2, 0, 1], ["one", 3, 6, 5], ["two", 0, 0, 1]]
    assert samples.weights["slices"]["pixels"] == [10 * 36 - 10 * 12 - 5 * 6, 10 * 12, 5 * 6]
    # Kidney slices 2 to 5 once, 3 to 6 five times, and one of the padded block.
    assert samples.weights["blocks"]["pixels"] == [7 * 4 * 36 - 25 * 12 - 30, 25 * 12, 30]
    assert samples.weights["slices"]["class_weights"] == pytest.approx([360 / 630, 1.0, 4.0])
    assert "three shows no kidney" in caplog.text


def test_no_cases_become_tables_without_rows(cases):
    settings = SampleSettings(False, 0, depth=4, overlap=0)
    none, some = balance_cases([], settings, seed=0), balance_cases(cases, settings, seed=0)
    for kind in ("slices", "blocks"):
        assert len(getattr(none, kind)) == 0
        assert list(getattr(none, kind)) == list(getattr(some, kind))
        assert none.weights[kind] == {"class_weights": [0.0] * 3, "pixels": [0] * 3}


def test_pixels_and_weights_are_those_of_the_samples_themselves():
    rng = np.random.default_rng(0)
    volumes = {
        name: rng.choice(3, (length, 4, 4), p=[0.96, 0.03, 0.01]) for name, length in (("a", 9), ("b", 3))
    }
    slices = pd.concat([tabulate_slices(name, labels) for name, labels in volumes.items()])
    chosen = choose_slices(slices, Balancing(True, 3))
    shown = [volumes[row.case][row.slice] for row in chosen.itertuples() for _ in range(row.repeats)]
    np.testing.assert_array_equal(count_slice_pixels(chosen, 4), np.bincount(np.ravel(shown), minlength=3))
    np.testing.assert_allclose(
        class_weights(count_slice_pixels(chosen, 4)),
        compute_class_weight("balanced", classes=np.arange(3), y=np.ravel(shown)),
    )
    blocks = cut_blocks(slices, 5, 2, Balancing(True, 3))
    padded = {name: np.pad(labels, ((0, 5), (0, 0), (0, 0))) for name, labels in volumes.items()}
    shown = [
        padded[row.case][row.first : row.first + 5] for row in blocks.itertuples() for _ in range(row.repeats)
    ]
    expected = np.bincount(np.ravel(shown), minlength=3)
    np.testing.assert_array_equal(count_block_pixels(blocks, slices, 4), expected)


def test_a_class_that_is_nowhere_has_no_weight(tmp_path, caplog):
    np.testing.assert_array_equal(class_weights(np.array([30, 10, 0])), [40 / 90, 40 / 30, 0])
    path = write(tmp_path / "a.h5", draw_labels(4, kidney=(1, 2)))
    weights = balance_cases([path], SampleSettings(False, 4, 4, 0), seed=0).weights
    assert weights["slices"]["class_weights"][2] == 0
    assert "no tumour in any of 1 cases" in caplog.text


def test_validation_keeps_everything_once(cases):
    samples = balance_cases(cases, SampleSettings(False, 0, depth=4, overlap=0), seed=0)
    assert len(samples.slices) == 9 + 3 + 5
    assert set(samples.slices["repeats"]) == set(samples.blocks["repeats"]) == {1}
    firsts = samples.blocks.groupby("case", sort=False)["first"].agg(list).to_dict()
    assert firsts == {"one": [0, 4, 5], "two": [0], "three": [0, 1]}


def test_a_share_of_whole_cases(cases):
    names = [f"case_{number:05d}" for number in range(100)]
    five = choose_cases(names, 0.05, seed=3)
    assert len(five) == 5
    assert five == sorted(five) == choose_cases(names, 0.05, seed=3)
    assert five != choose_cases(names, 0.05, seed=4)
    assert set(five) < set(choose_cases(names, 0.2, seed=3))
    assert choose_cases(names, 1.0, seed=3) == names
    assert len(choose_cases(names, 0.001, seed=3)) == 1
    samples = balance_cases(cases, SampleSettings(False, 0, 4, 0, share_of_cases=0.34), seed=0)
    assert samples.slices["case"].nunique() == 1


def test_cases_that_cannot_be_trained_on_are_refused(cases, tmp_path):
    other = write(tmp_path / "other.h5", draw_labels(3, 8, kidney=(1,)), size_px=8)
    with pytest.raises(InputError, match=r"other\.h5: found slices of 8 px; expected 6 px, as in .*one\.h5"):
        balance_cases([*cases, other], SampleSettings(True, 0, 4, 0), seed=0)
    unlabelled = write(tmp_path / "dark.h5", draw_labels(3), labelled=False)
    with pytest.raises(InputError, match="a case without labels"):
        balance_cases([*cases, unlabelled], SampleSettings(True, 0, 4, 0), seed=0)
    with pytest.raises(InputError, match="neither kidney nor tumour in any slice"):
        balance_cases(cases[2:], SampleSettings(True, 0, 4, 0), seed=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"repeat_tumours": -1}, "repeat_tumours: found -1; expected 0 or more"),
        ({"depth": 0, "overlap": 0}, "depth: found 0"),
        ({"overlap": 4}, "overlap: found 4; expected 0 or more, and less than the depth"),
        ({"share_of_cases": 0.0}, "share_of_cases: found 0"),
        ({"share_of_cases": 1.5}, r"share_of_cases: found 1\.5"),
    ],
)
def test_impossible_settings_are_refused(change, message):
    usual = {"drop_background": True, "repeat_tumours": 4, "depth": 4, "overlap": 2}
    with pytest.raises(InputError, match=message):
        SampleSettings(**usual | change)
