import logging

import numpy as np
import pandas as pd
import pytest

from medscale.errors import InputError
from medscale.pathology.slide_forest import COLUMNS, PROBABILITIES, classify_slides, train_forest
from medscale.pathology.staging import CLASSES

SIZES_MM = {"negative": 0.0, "itc": 0.1, "micro": 1.0, "macro": 4.0}


def make_study(splits: list[str], *, classes=CLASSES, nodes: int = 5, seed: int = 0):
    """Return features and a sheet with one patient for each split name; sizes tell the classes apart."""
    rng = np.random.default_rng(seed)
    rows = []
    for number, split in enumerate(splits):
        for node in range(nodes):
            label = classes[(number + node) % len(classes)]
            rows.append((f"patient_{number:03d}_node_{node}", f"patient_{number:03d}", split, label))
    sheet = pd.DataFrame(rows, columns=["slide", "patient", "split", "label"])
    sizes = sheet["label"].map(SIZES_MM) * rng.uniform(0.9, 1.1, len(sheet))
    noise = rng.random(len(sheet))
    features = pd.DataFrame({"slide": sheet["slide"], "largest_feret_mm_at_0.5": sizes, "noise": noise})
    return features, sheet


MIXED = ["train_network"] * 2 + ["train_staging"] * 6 + ["test"] * 3


def classify(features, sheet, **options):
    return classify_slides(features, sheet, **{"trees": 30, "folds": 3, "seed": 1, **options})


def test_every_slide_gets_a_class_and_says_where_it_came_from():
    table, forest = classify(*make_study(MIXED))
    assert list(table.columns) == COLUMNS
    assert list(table["slide"]) == sorted(table["slide"])
    kinds = table.groupby("split")["prediction"].unique().map(list).to_dict()
    assert kinds == {
        "test": ["held_out"],
        "train_staging": ["out_of_fold"],
        "train_network": ["network_trained_on_patient"],
    }
    assert (table["predicted"] == table["true"]).mean() > 0.9
    assert table[PROBABILITIES].sum(axis=1).to_numpy() == pytest.approx(1)
    assert forest.n_features_in_ == 2


def test_the_forest_learns_from_labelled_staging_slides_alone():
    features, sheet = make_study(MIXED)
    expected, _ = classify(features, sheet)
    foreign = sheet["split"] != "train_staging"
    sheet.loc[foreign, "label"] = "macro"
    actual, _ = classify(features, sheet)
    pd.testing.assert_frame_equal(actual.drop(columns="true"), expected.drop(columns="true"))


def test_no_prediction_comes_from_a_forest_that_saw_the_patient():
    """With one size each, a forest in-sample knows every slide by heart; out of fold it cannot."""
    features, sheet = make_study(["train_staging"] * 8 + ["test"], seed=4)
    rng = np.random.default_rng(0)
    patients = sheet["patient"].unique()
    features["largest_feret_mm_at_0.5"] = sheet["patient"].map({p: 10.0 * i for i, p in enumerate(patients)})
    sheet["label"] = sheet["patient"].map({p: rng.permutation(CLASSES)[0] for p in patients})
    table, forest = classify(features, sheet, folds=4)
    own = table[table["split"] == "train_staging"]
    in_sample = forest.predict(features.set_index("slide").loc[own["slide"]].to_numpy())
    assert (in_sample == own["true"]).mean() == 1
    assert (own["predicted"] == own["true"]).mean() < 0.7


def test_the_label_of_a_patient_never_reaches_its_own_prediction():
    """Leave-one-patient-out: relabelling one patient within its worst class leaves its rows alone."""
    features, sheet = make_study(["train_staging"] * 5 + ["test"])
    expected, _ = classify(features, sheet, folds=99)
    own = sheet["patient"] == "patient_002"
    sheet.loc[own, "label"] = "macro"
    actual, _ = classify(features, sheet, folds=99)
    rows = (expected["patient"] == "patient_002").to_numpy()
    pd.testing.assert_frame_equal(actual.loc[rows, PROBABILITIES], expected.loc[rows, PROBABILITIES])


def test_the_order_of_rows_changes_nothing_and_the_seed_does():
    features, sheet = make_study(MIXED, seed=2)
    features["largest_feret_mm_at_0.5"] += np.random.default_rng(0).normal(0, 1, len(features))
    expected, _ = classify(features, sheet)
    shuffled, _ = classify(features.sample(frac=1, random_state=1), sheet.sample(frac=1, random_state=2))
    pd.testing.assert_frame_equal(shuffled, expected)
    other, _ = classify(features, sheet, seed=2)
    assert not other[PROBABILITIES].equals(expected[PROBABILITIES])


def test_a_staging_patient_without_labels_is_held_out():
    features, sheet = make_study(MIXED)
    sheet.loc[sheet["patient"] == "patient_004", "label"] = np.nan
    table, _ = classify(features, sheet)
    own = table[table["patient"] == "patient_004"]
    assert set(own["prediction"]) == {"held_out"}
    assert set(own["true"]) == {""}


def test_missing_classes_have_probability_zero_and_a_warning(caplog):
    features, sheet = make_study(["train_staging"] * 3 + ["test"], classes=("negative", "micro"))
    with caplog.at_level(logging.WARNING):
        table, _ = classify(features, sheet)
    assert "itc or macro" in caplog.text
    assert (table[["p_itc", "p_macro"]] == 0).all(axis=None)
    assert set(table["predicted"]) == {"negative", "micro"}


def test_a_class_of_one_patient_alone_cannot_be_predicted_out_of_fold_and_is_warned_of(caplog):
    features, sheet = make_study(["train_staging"] * 3 + ["test"], classes=("negative", "micro"))
    sheet.loc[sheet["slide"] == "patient_001_node_0", "label"] = "macro"
    with caplog.at_level(logging.WARNING):
        table, _ = classify(features, sheet)
    own = table["patient"] == "patient_001"
    assert "patient_001 cannot be macro" in caplog.text
    assert (table.loc[own, "p_macro"] == 0).all()
    assert (table.loc[~own, "p_macro"] > 0).any()


def test_one_patient_to_learn_from_gives_no_prediction_of_itself(caplog):
    features, sheet = make_study(
        ["train_network", "train_staging", "test"], classes=("negative", "itc", "micro")
    )
    with caplog.at_level(logging.WARNING):
        table, _ = classify(features, sheet)
    own = table[table["split"] == "train_staging"]
    assert set(own["prediction"]) == {"none"}
    assert (own[PROBABILITIES] == 0.25).all(axis=None)
    assert set(own["predicted"]) == {"negative"}
    assert set(table.loc[table["split"] == "test", "prediction"]) == {"held_out"}
    assert "patient_001" in caplog.text


def test_of_equally_likely_classes_the_less_severe_is_predicted():
    features, sheet = make_study(["train_staging"] * 2, classes=("itc", "macro"), nodes=4)
    features[["largest_feret_mm_at_0.5", "noise"]] = 1.0
    table, _ = classify(features, sheet, trees=1)
    tied = table["p_itc"] == table["p_macro"]
    assert tied.any()
    assert set(table.loc[tied, "predicted"]) == {"itc"}


def drop_feature_row(features, sheet):
    return features[1:], sheet


def drop_sheet_row(features, sheet):
    return features, sheet[1:]


def repeat_slide(features, sheet):
    return features, pd.concat([sheet, sheet[:1]])


def lose_number(features, sheet):
    return features.assign(noise=np.nan), sheet


def misname_class(features, sheet):
    return features, sheet.assign(label=sheet["label"].replace("itc", "tumor"))


def keep_three_labels(features, sheet):
    return features, sheet.assign(label=sheet["label"].where(sheet.index < 3, ""))


def make_all_negative(features, sheet):
    return features, sheet.assign(label="negative")


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (drop_feature_row, "features: found no row for slide patient_000_node_0"),
        (drop_sheet_row, "slide sheet: found no row for slide patient_000_node_0"),
        (repeat_slide, "patient_000_node_0 twice"),
        (lose_number, "patient_000_node_0"),
        (misname_class, "'tumor'"),
        (keep_three_labels, "3 labelled slides"),
        (make_all_negative, "1 classes"),
    ],
)
def test_bad_input_is_refused_by_name(spoil, found):
    with pytest.raises(InputError, match=found):
        classify(*spoil(*make_study(["train_staging"] * 3 + ["test"])))


def test_a_single_fold_is_refused():
    with pytest.raises(InputError, match="folds"):
        classify(*make_study(MIXED), folds=1)


def test_rare_classes_weigh_as_much_as_common_ones():
    features = pd.DataFrame({"x": np.r_[np.zeros(90), np.zeros(10)]})
    labels = pd.Series(["negative"] * 90 + ["itc"] * 10)
    forest = train_forest(features, labels, trees=200, seed=1)
    shares = dict(zip(forest.classes_, forest.predict_proba(np.zeros((1, 1)))[0], strict=True))
    assert shares["itc"] == pytest.approx(0.5, abs=0.05)
