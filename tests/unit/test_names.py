"""Checks of the names in a configuration."""

import pytest

from medscale.errors import InputError
from medscale.names import check_known, check_unique


def test_known_and_single_names_pass():
    check_known("part.name", "two", ["one", "two"])
    check_unique("part.names", ["one", "two"])


def test_others_are_named_with_their_place():
    with pytest.raises(InputError, match=r"part\.name: found 'three'; expected one of one, two"):
        check_known("part.name", "three", ["one", "two"])
    with pytest.raises(InputError, match=r"part\.names: found 'one' twice"):
        check_unique("part.names", ["one", "two", "one"])
