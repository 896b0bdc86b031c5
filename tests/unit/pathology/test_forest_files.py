import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.ensemble import RandomForestClassifier
from sklearn.preprocessing import FunctionTransformer

from medscale.errors import InputError
from medscale.pathology.forest_files import load_forest, save_forest
from medscale.pathology.slide_forest import train_forest

FEATURES = ["largest_feret_mm_at_0.5", "slide_max_confidence"]


def fit() -> tuple[RandomForestClassifier, np.ndarray]:
    numbers = np.random.default_rng(0).random((40, 2))
    labels = pd.Series(np.where(numbers[:, 0] > 0.5, "macro", "negative"))
    return train_forest(pd.DataFrame(numbers, columns=FEATURES), labels, trees=8, seed=1), numbers


def save(path):
    forest, numbers = fit()
    save_forest(forest, path, features=FEATURES, thresholds=[0.5])
    return forest, numbers


def test_a_forest_comes_back_with_the_meaning_of_its_columns(tmp_path):
    forest, numbers = save(tmp_path / "forest.skops")
    stored = load_forest(tmp_path / "forest.skops", features=FEATURES)
    assert np.array_equal(stored.forest.predict_proba(numbers), forest.predict_proba(numbers))
    assert stored.features == FEATURES
    assert stored.thresholds == [0.5]
    assert stored.classes == ["negative", "itc", "micro", "macro"]


def test_the_same_forest_gives_the_same_bytes_and_nothing_else(tmp_path):
    save(tmp_path / "first.skops")
    keep_memory_busy = [object() for _ in range(1000)]
    save(tmp_path / "second.skops")
    assert (tmp_path / "first.skops").read_bytes() == (tmp_path / "second.skops").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2
    del keep_memory_busy


@pytest.mark.parametrize("features", [FEATURES[::-1], FEATURES[:1], ["a", "b"]])
def test_other_features_are_refused(tmp_path, features):
    save(tmp_path / "forest.skops")
    with pytest.raises(InputError, match=r"forest\.skops.*features"):
        load_forest(tmp_path / "forest.skops", features=features)


def test_a_file_with_other_types_is_refused_before_it_is_loaded(tmp_path):
    path = tmp_path / "evil.skops"
    skops.io.dump({"forest": FunctionTransformer(np.lib.format.open_memmap)}, path)
    with pytest.raises(InputError, match="open_memmap"):
        load_forest(path)


@pytest.mark.parametrize(
    "content", [{"forest": 1}, [1], {"forest": 1, "features": [], "thresholds": [], "classes": []}]
)
def test_other_content_is_refused(tmp_path, content):
    skops.io.dump(content, tmp_path / "other.skops")
    with pytest.raises(InputError, match=r"other\.skops"):
        load_forest(tmp_path / "other.skops")


def test_damaged_and_missing_files_are_refused(tmp_path):
    save(tmp_path / "forest.skops")
    whole = (tmp_path / "forest.skops").read_bytes()
    (tmp_path / "half.skops").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.skops").write_text("no forest")
    for name in ("half", "text", "missing"):
        with pytest.raises(InputError, match=f"{name}.skops"):
            load_forest(tmp_path / f"{name}.skops")
