"""The three strategies: how many of what, from where, and the same bytes whenever asked."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medscale.errors import InputError
from medscale.pathology.balancing import STRATEGIES, balance_patches, count_patches, draw_counts

THESIS = {"WSI01": 1123, "WSI02": 209, "WSI03": 1823, "WSI04": 84}
SAMPLE = ["slide", "y", "x", "augmentation"]


def make_grid(tumour, normal):
    parts = []
    for slide in sorted(set(tumour) | set(normal)):
        counts = tumour.get(slide, 0), normal.get(slide, 0)
        number = np.arange(sum(counts))
        parts.append(
            pd.DataFrame(
                {
                    "slide": slide,
                    "x": number % 50 * 256,
                    "y": number // 50 * 256,
                    "label": (number < counts[0]).astype(np.int8),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def thesis():
    return make_grid(THESIS, {"WSI01": 4000, "WSI03": 100, "normal_1": 3000})


def tumour_counts(manifest):
    return manifest[manifest["label"] == 1].groupby("slide").size()


def test_the_thesis_table_2_1(thesis):
    manifest = balance_patches(thesis, "slide_balanced", 0)
    counts = tumour_counts(manifest)
    assert set(counts.index) == set(THESIS)
    assert counts.between(809, 811).all()
    assert counts.sum() == sum(THESIS.values())
    assert (manifest["label"] == 0).sum() == sum(THESIS.values())


def test_copies_use_every_element_before_any_twice(thesis):
    manifest = balance_patches(thesis, "slide_balanced", 0)
    tumour = manifest[manifest["label"] == 1]
    few = tumour[tumour["slide"] == "WSI02"]
    assert not few.duplicated(SAMPLE).any()
    assert (few.groupby(["y", "x"])["augmentation"].min() == 0).all()
    assert set(few.groupby(["y", "x"]).size()) == {3, 4}
    rare = tumour[tumour["slide"] == "WSI04"]
    assert (rare.groupby(["y", "x"])["augmentation"].nunique() == 8).all()
    assert rare.groupby(["y", "x", "augmentation"]).size().isin([1, 2]).all()
    assert set(few["augmentation"]) == set(range(8))


def test_deletion_keeps_patches_as_they_are(thesis):
    manifest = balance_patches(thesis, "slide_balanced", 0)
    many = manifest[(manifest["slide"] == "WSI03") & (manifest["label"] == 1)]
    assert (many["augmentation"] == 0).all()
    assert not many.duplicated(SAMPLE).any()
    assert (
        many["y"].max() > 0.9 * thesis.loc[(thesis["slide"] == "WSI03") & (thesis["label"] == 1), "y"].max()
    )


def test_unbalanced_is_everything_once(thesis):
    manifest = balance_patches(thesis, "unbalanced", 0)
    assert len(manifest) == len(thesis)
    assert (manifest["augmentation"] == 0).all()


def test_class_balanced_keeps_all_tumour(thesis):
    manifest = balance_patches(thesis, "class_balanced", 0)
    assert tumour_counts(manifest).to_dict() == THESIS
    normal = manifest[manifest["label"] == 0]
    assert len(normal) == sum(THESIS.values())
    assert (normal["augmentation"] == 0).all()
    # 4000 and 3000 of 7100 normal patches lie on these slides.
    drawn = normal["slide"].value_counts(normalize=True)
    assert drawn["WSI01"] == pytest.approx(4000 / 7100, abs=0.03)
    assert drawn["normal_1"] == pytest.approx(3000 / 7100, abs=0.03)


@pytest.mark.parametrize("strategy", ["class_balanced", "slide_balanced"])
def test_too_few_normals_are_augmented(strategy):
    manifest = balance_patches(make_grid({"a": 90}, {"b": 20}), strategy, 0)
    normal = manifest[manifest["label"] == 0]
    assert len(normal) == 90
    assert not normal.duplicated(SAMPLE).any()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_same_seed_same_bytes_in_any_order(thesis, strategy, tmp_path):
    shuffled = thesis.sample(frac=1, random_state=1)
    for name, grid, seed in (("a", thesis, 5), ("b", shuffled, 5), ("c", thesis, 6)):
        balance_patches(grid, strategy, seed).to_parquet(tmp_path / name, index=False)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_rows_are_ordered_and_have_seeds_of_their_own(thesis, strategy):
    manifest = balance_patches(thesis, strategy, 0)
    assert manifest[SAMPLE].equals(manifest[SAMPLE].sort_values(SAMPLE, ignore_index=True))
    assert manifest["seed"].is_unique
    assert (manifest["seed"] >= 0).all()
    assert (manifest["seed"].dtype, manifest["augmentation"].dtype) == (np.int64, np.int8)


def test_another_slide_does_not_change_the_draw_of_this_one():
    one = balance_patches(make_grid({"a": 40, "b": 20}, {"a": 30}), "slide_balanced", 0)
    two = balance_patches(make_grid({"a": 40, "c": 20}, {"a": 30}), "slide_balanced", 0)
    tumour = [table[(table["slide"] == "a") & (table["label"] == 1)][SAMPLE] for table in (one, two)]
    assert np.array_equal(tumour[0], tumour[1])


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 120), min_size=1),
    st.integers(1, 400),
    st.integers(0, 2**31),
)
def test_slides_are_level_and_classes_equal(tumour, normal, seed):
    manifest = balance_patches(make_grid(tumour, {"z": normal}), "slide_balanced", seed)
    counts = tumour_counts(manifest)
    assert set(counts.index) == set(tumour)
    assert counts.max() - counts.min() <= 1
    assert counts.sum() == sum(tumour.values()) == (manifest["label"] == 0).sum()
    copies = manifest.groupby(["slide", "y", "x"])["augmentation"].agg(["size", "nunique"])
    assert (copies["nunique"] == copies["size"].clip(upper=8)).all()
    uses = manifest.groupby(SAMPLE).size().groupby(["slide", "y", "x"]).agg(["min", "max"])
    assert (uses["max"] - uses["min"] <= 1).all()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_tumour_is_refused(strategy):
    with pytest.raises(InputError, match="no tumour patch"):
        balance_patches(make_grid({}, {"a": 10}), strategy, 0)


def test_no_normal_and_unknown_strategy_are_refused():
    with pytest.raises(InputError, match="no normal patch"):
        balance_patches(make_grid({"a": 10}, {}), "class_balanced", 0)
    with pytest.raises(InputError, match="unbalanced, class_balanced, slide_balanced"):
        balance_patches(make_grid({"a": 10}, {"a": 3}), "best", 0)


def test_counts_are_a_table_like_2_1(thesis):
    manifest = balance_patches(thesis, "slide_balanced", 0)
    counts = count_patches(thesis, manifest, {"WSI01": 0.25, "no_patches": 0.5}).set_index("slide")
    assert counts.columns.to_list() == [
        "tumour_before", "normal_before", "tumour_after", "normal_after", "tumour_share_of_tissue"
    ]  # fmt: skip
    assert counts.loc[list(THESIS), "tumour_before"].to_dict() == THESIS
    assert counts.loc[list(THESIS), "tumour_after"].to_list() == [810, 810, 810, 809]
    assert counts["normal_after"].sum() == 3239
    assert counts.loc["no_patches"].to_list() == [0, 0, 0, 0, 0.5]
    assert counts.loc["WSI01", "tumour_share_of_tissue"] == 0.25
    assert np.isnan(counts.loc["WSI02", "tumour_share_of_tissue"])


def test_figure_shows_the_counts(thesis, tmp_path):
    counts = count_patches(thesis, balance_patches(thesis, "slide_balanced", 0), {})
    figure = draw_counts(counts)
    axes = figure.axes[0]
    before, after = ([bar.get_height() for bar in bars] for bars in axes.containers)
    assert before == counts["tumour_before"].to_list()
    assert after == counts["tumour_after"].to_list()
    figure.savefig(tmp_path / "counts.png")
    assert [label.get_text() for label in figure.axes[1].get_xticklabels()] == counts["slide"].to_list()
