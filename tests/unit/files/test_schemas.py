import copy

import pytest
import yaml

from medscale.errors import InputError
from medscale.files.schemas import check_against_schema


@pytest.fixture
def config(root):
    return yaml.safe_load((root / "config.yaml").read_text())


def _check(config, root):
    check_against_schema(config, root / "schemas/config.schema.json", "config.yaml")


def test_the_default_configuration_is_valid(config, root):
    _check(config, root)


def _paths(content, prefix=()):
    for key, value in content.items():
        yield (*prefix, key)
        if isinstance(value, dict):
            yield from _paths(value, (*prefix, key))


def test_every_key_is_required_and_none_may_be_added_or_misspelt(config, root):
    for path in list(_paths(config)):
        broken = copy.deepcopy(config)
        section = broken
        for key in path[:-1]:
            section = section[key]
        section[path[-1] + "_"] = section.pop(path[-1])
        with pytest.raises(InputError):
            _check(broken, root)


def test_the_message_names_place_value_and_expectation(config, root):
    config["pathology"]["patches"]["size_px"] = 3
    expected = r"config\.yaml, pathology\.patches\.size_px: found 3 .*; expected edge of a patch in pixels"
    with pytest.raises(InputError, match=expected):
        _check(config, root)
