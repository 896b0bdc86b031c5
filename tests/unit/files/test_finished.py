import pytest

from medscale.errors import InputError
from medscale.files.finished import Item, make_each


def _items(folder, names):
    return [Item(name, f"key-of-{name}", [folder / f"{name}.tif"]) for name in names]


def _writer(made, bad=()):
    def make(item):
        if item.name in bad:
            raise InputError(item.name, "a broken tile", "a readable slide", "Fetch it again.")
        made.append(item.name)
        item.outputs[0].write_text(item.name)

    return make


def test_a_bad_item_does_not_cost_the_others(tmp_path):
    made, kept = [], tmp_path / "kept"
    with pytest.raises(InputError, match="b: found a broken tile"):
        make_each(_items(tmp_path, "abc"), _writer(made, bad="b"), kept)
    assert made == ["a", "c"]
    for name in "ac":
        (tmp_path / f"{name}.tif").unlink()  # as Snakemake does after a failed job
    make_each(_items(tmp_path, "abc"), _writer(made), kept)
    assert made == ["a", "c", "b"]
    assert [(tmp_path / f"{name}.tif").read_text() for name in "abc"] == ["a", "b", "c"]
    assert not kept.exists()


def test_an_item_whose_input_changed_is_made_again(tmp_path):
    made, kept = [], tmp_path / "kept"
    with pytest.raises(InputError):
        make_each(_items(tmp_path, "ab"), _writer(made, bad="b"), kept)
    changed = [Item("a", "another key", [tmp_path / "a.tif"])]
    make_each(changed, _writer(made), kept)
    assert made == ["a", "a"]


def test_several_bad_items_are_counted(tmp_path):
    with pytest.raises(InputError, match="2 items, of which the first is a"):
        make_each(_items(tmp_path, "ab"), _writer([], bad="ab"), tmp_path / "kept")
